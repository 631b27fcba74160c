-- grain: account_id, month, measure_id
-- Empirical Bayes: each value is drawn towards its pool by as much as its own evidence is weak. Shares: Beta-binomial;
-- rates: Gamma-Poisson; durations (on the logarithm) and indices: normal-normal. Facts stay as they are.
-- (B. Efron, C. Morris, JASA 70, 1975.)
with joined as (
    select
        judged.account_id,
        judged.month,
        judged.measure_id,
        judged.kind,
        judged.segment,
        judged.numerator,
        judged.denominator,
        judged.n,
        judged.raw_value,
        judged.raw_error,
        judged.status,
        judged.reason,
        coalesce(segment.center, portfolio.center) as center,
        coalesce(segment.between_variance, portfolio.between_variance) as between_variance
    from scores.judged as judged
    left join scores.pool as segment
        on segment.month = judged.month and segment.measure_id = judged.measure_id and segment.segment = judged.segment
    left join scores.pool as portfolio
        on portfolio.month = judged.month and portfolio.measure_id = judged.measure_id and portfolio.segment = '*'
),
prior as (
    select
        account_id,
        month,
        measure_id,
        kind,
        segment,
        numerator,
        denominator,
        n,
        raw_value,
        raw_error,
        status,
        reason,
        center,
        between_variance,
        case when kind = 'duration' then ln(raw_value + 1) else raw_value end as x,
        -- An error of 0 would claim certainty for a median of equal times; the pool's spread stands in when unknown.
        coalesce(nullif(raw_error, 0), sqrt(between_variance)) as error,
        -- How many trials, or how much exposure, the pool is worth.
        case kind
            when 'share' then greatest(center * (1 - center) / nullif(between_variance, 0) - 1, 0)
            when 'rate' then center / nullif(between_variance, 0)
        end as weight
    from joined
),
posterior as (
    select
        account_id,
        month,
        measure_id,
        kind,
        segment,
        numerator,
        denominator,
        n,
        raw_value,
        raw_error,
        status,
        reason,
        center,
        between_variance,
        case
            when kind = 'fact' then raw_value
            -- No evidence of a pool's spread at all (every share 0, say): the raw value is all there is.
            when center is null or coalesce(between_variance, 0) = 0 then x
            when kind in ('share', 'rate') then (numerator + weight * center) / (denominator + weight)
            else (x * between_variance + center * error * error) / (between_variance + error * error)
        end as estimate,
        case
            when kind = 'fact' then 0
            when coalesce(between_variance, 0) = 0 then 0
            when kind = 'share' then sqrt(
                ((numerator + weight * center) / (denominator + weight))
                * (1 - (numerator + weight * center) / (denominator + weight)) / (denominator + weight + 1)
            )
            when kind = 'rate' then sqrt(numerator + weight * center) / (denominator + weight)
            else sqrt(between_variance * error * error / (between_variance + error * error))
        end as estimate_error
    from prior
)
select
    account_id,                                                             -- the company
    month,                                                                  -- the month that the value stands for
    measure_id,                                                             -- the measure
    segment,                                                                -- the account's segment
    numerator,                                                              -- counts behind the value
    denominator,                                                            -- counts or exposure behind the value
    n,                                                                      -- amount of evidence
    raw_value,                                                              -- as counted
    raw_error,                                                              -- its standard error where the model knows it
    status,                                                                 -- ok, thin, null
    reason,                                                                 -- why not ok
    case when status = 'ok' then estimate end as estimate,                  -- shrunk; durations as ln(minutes + 1)
    case when status = 'ok' then estimate_error end as estimate_error,      -- standard error on the same scale
    case when kind = 'duration' then exp(estimate) - 1 else estimate end as shrunk_value, -- shrunk, in the measure's unit
    case
        when kind = 'duration' then exp(estimate) * estimate_error
        when kind = 'fact' then null
        else estimate_error
    end as standard_error,                                                  -- in the measure's unit; null for a fact
    center,                                                                 -- the pool's mean, on the scale of estimate
    sqrt(between_variance) as prior_error                                   -- the pool's spread, on the scale of estimate
from posterior
