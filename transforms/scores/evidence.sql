-- grain: account_id, month, measure_id
-- Every measure of every account-month with its evidence, whether it may speak or not. The models of style and value
-- count; here they are only put under one another.
with counted as (
    select account_id, month, 'shared_goal_coverage' as measure_id, numerator, denominator, n, raw_value, raw_error
    from style.shared_goal_coverage
    union all
    select account_id, month, 'cocreation_rate', numerator, denominator, n, raw_value, raw_error from style.cocreation_rate
    union all
    select account_id, month, 'voluntary_initiative', numerator, denominator, n, raw_value, raw_error
    from style.voluntary_initiative
    union all
    select account_id, month, 'dyadic_breadth', numerator, denominator, n, raw_value, raw_error from style.dyadic_breadth
    union all
    select account_id, month, 'price_pressure', numerator, denominator, n, raw_value, raw_error from style.price_pressure
    union all
    select account_id, month, 'dispute_rate', numerator, denominator, n, raw_value, raw_error from style.dispute_rate
    union all
    select account_id, month, 'mrr', numerator, denominator, n, raw_value, raw_error from value.mrr
    union all
    select account_id, month, 'nrr', numerator, denominator, n, raw_value, raw_error from value.nrr
    union all
    select account_id, month, 'grr', numerator, denominator, n, raw_value, raw_error from value.grr
    union all
    select account_id, month, 'days_beyond_terms', numerator, denominator, n, raw_value, raw_error
    from value.days_beyond_terms
    union all
    select account_id, month, 'discount_depth', numerator, denominator, n, raw_value, raw_error from value.discount_depth
    union all
    select account_id, month, 'first_response', numerator, denominator, n, raw_value, raw_error from value.first_response
    union all
    select account_id, month, 'first_response_business', numerator, denominator, n, raw_value, raw_error
    from value.first_response_business
    union all
    select account_id, month, 'full_resolution', numerator, denominator, n, raw_value, raw_error from value.full_resolution
    union all
    select account_id, month, 'full_resolution_business', numerator, denominator, n, raw_value, raw_error
    from value.full_resolution_business
    union all
    select account_id, month, 'csat', numerator, denominator, n, raw_value, raw_error from value.csat
    union all
    select account_id, month, 'reopen_rate', numerator, denominator, n, raw_value, raw_error from value.reopen_rate
)
select
    account_month.account_id,                                               -- the company
    account_month.month,                                                    -- the month that the value stands for
    measure.measure_id,                                                     -- see mart.measure
    measure.kind,                                                           -- share, rate, duration, index, fact
    coalesce(nullif(account.segment, ''), 'none') as segment,               -- the pool towards which thin data is shrunk
    counted.numerator,                                                      -- counts behind the value, where there are any
    counted.denominator,                                                    -- counts or exposure behind the value
    coalesce(counted.n, 0) as n,                                            -- amount of evidence, in the measure's own unit
    counted.raw_value,                                                      -- as counted
    counted.raw_error,                                                      -- its standard error where the model knows it
    coalesce(counted.n, 0) >= measure.minimum and counted.raw_value is not null as is_enough -- reaches the minimum evidence
from canonical.account_month as account_month
join canonical.account as account on account.account_id = account_month.account_id
cross join setting.measure as measure
left join counted
    on counted.account_id = account_month.account_id
    and counted.month = account_month.month
    and counted.measure_id = measure.measure_id
