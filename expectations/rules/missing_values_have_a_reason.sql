-- severity: critical
-- A null value says why it is null, and a value that is there has evidence: `not recorded` is never mistaken for zero.
select account_id, month, measure_id, status, reason
from mart.account_month_measure
where (value is null and reason is null)
    or (value is null and status = 'ok')
    or (value is not null and status = 'null')
