-- grain: account_id, month, measure_id
-- Every measure with its evidence. A null value has a reason; a 0 is a real one.
with ranged as (
    select
        shrunk.account_id,
        shrunk.month,
        shrunk.measure_id,
        shrunk.shrunk_value,
        shrunk.raw_value,
        shrunk.raw_error,
        shrunk.numerator,
        shrunk.denominator,
        shrunk.standard_error,
        shrunk.n,
        shrunk.status,
        shrunk.reason,
        measure.kind,
        -- Wilson (JASA 22, 1927): a share's interval that stays inside 0 and 1, also of few.
        case
            when measure.kind = 'share' then (shrunk.numerator + 1.920729) / (shrunk.denominator + 3.841459)
            when measure.kind = 'duration' then ln(shrunk.raw_value + 1)
            when measure.kind = 'index' then shrunk.raw_value
        end as middle,
        case
            when measure.kind = 'share' then 1.959964 * sqrt(greatest(
                shrunk.numerator * (shrunk.denominator - shrunk.numerator) / nullif(shrunk.denominator, 0) + 0.960365, 0
            )) / (shrunk.denominator + 3.841459)
            when measure.kind in ('duration', 'index') then 1.959964 * shrunk.raw_error
        end as half_width
    from scores.shrunk as shrunk
    join setting.measure as measure on measure.measure_id = shrunk.measure_id
)
select
    account_id,                                                             -- the company
    month,                                                                  -- last month of the measure's window
    measure_id,                                                             -- see mart.measure
    case when status = 'ok' then shrunk_value end as value,                 -- drawn towards the segment where evidence is weak
    raw_value,                                                              -- as counted
    case
        when raw_value is null then null when kind = 'duration' then exp(middle - half_width) - 1 else middle - half_width
    end as raw_low,                                                         -- lower end of its 95 % interval; null for rates and facts
    case
        when raw_value is null then null when kind = 'duration' then exp(middle + half_width) - 1 else middle + half_width
    end as raw_high,                                                        -- upper end of its 95 % interval; null for rates and facts
    numerator,                                                              -- adds up over accounts, where there is one
    denominator,                                                            -- adds up over accounts, where there is one
    case when status = 'ok' then standard_error end as standard_error,      -- of value; null for sums over all records
    n,                                                                      -- amount of evidence
    status,                                                                 -- ok, thin, null
    reason,                                                                 -- why the value is null
    case when status <> 'null' then 'event' end as known_at_source          -- event: known by the record's own creation time
from ranged
