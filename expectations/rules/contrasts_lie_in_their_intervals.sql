-- severity: critical
-- Each difference lies in its own 95 % interval; otherwise sign, scale or row were mixed up on the way to the mart.
select as_of, comparison, outcome, estimator, ci_low, difference, ci_high
from mart.contrast
where ci_low > difference or difference > ci_high
