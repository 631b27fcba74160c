-- severity: critical
-- Gross retention counts no growth (sum of min(closing, opening) / opening), so it never exceeds 1 nor net retention.
select grr.account_id, grr.month, grr.value as grr, nrr.value as nrr
from mart.account_month_measure as grr
left join mart.account_month_measure as nrr
    on nrr.account_id = grr.account_id
    and nrr.month = grr.month
    and nrr.measure_id = 'nrr'
where grr.measure_id = 'grr'
    and (grr.value > 1 + 1e-9 or grr.value > nrr.value + 1e-9)
