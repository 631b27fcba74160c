-- severity: warning
-- A connected system whose newest record is over 35 days older than as-of has stopped delivering: its measures go stale
-- while they look current. 35 days let a monthly export be a few days late.
select coverage.system, max(coverage.to_date) as newest, release.as_of
from audit.coverage as coverage
cross join mart.release as release
group by coverage.system, release.as_of
having max(coverage.to_date) < release.as_of - interval 35 day
