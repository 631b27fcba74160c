-- severity: critical
-- A verdict of not_estimable says that no number would be honest, and why; every other verdict rests on
-- the numbers of the overlap weights.
select as_of, comparison, outcome, estimator, verdict
from mart.contrast
where (
        verdict = 'not_estimable'
        and (
            difference is not null or standard_error is not null or ci_low is not null or ci_high is not null
            or hedges_g is not null or cliffs_delta is not null or p_value is not null or q_value is not null
            or e_value is not null or coalesce(trim(reason), '') = ''
        )
    )
    or (
        verdict <> 'not_estimable'
        and estimator = 'overlap'
        and (difference is null or ci_low is null or ci_high is null)
    )
