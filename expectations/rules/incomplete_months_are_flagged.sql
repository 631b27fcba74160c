-- severity: critical
-- A month is complete when as-of has passed its last day; an unflagged running month draws a false cliff in every trend.
select month.month, month.is_complete, release.as_of
from mart.month as month
cross join mart.release as release
where month.is_complete is distinct from (month.month + interval 1 month - interval 1 day <= release.as_of)
