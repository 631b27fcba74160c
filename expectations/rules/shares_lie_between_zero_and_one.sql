-- severity: critical
-- A measure whose unit is a share counts a part of a whole: below 0 or over 1 its numerator is no part of it.
select measured.account_id, measured.month, measured.measure_id, measured.value, measured.raw_value
from mart.account_month_measure as measured
join mart.measure as measure on measure.measure_id = measured.measure_id
where measure.unit = 'share'
    and (
        measured.value < -1e-9 or measured.value > 1 + 1e-9
        or measured.raw_value < -1e-9 or measured.raw_value > 1 + 1e-9
    )
