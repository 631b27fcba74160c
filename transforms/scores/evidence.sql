-- grain: account_id, month, measure_id
-- Every measure of every account-month with its evidence, whether it may speak or not. The models of style and value
-- count; here they are only put under one another.
with counted as (
    select account_id, month, 'shared_goal_coverage' as measure_id, numerator, denominator, n, raw_value, raw_error
    from style.shared_goal_coverage
    union all
    select account_id, month, 'mutual_responsibility', numerator, denominator, n, raw_value, raw_error
    from style.mutual_responsibility
    union all
    select account_id, month, 'cocreation_rate', numerator, denominator, n, raw_value, raw_error from style.cocreation_rate
    union all
    select account_id, month, 'voluntary_initiative', numerator, denominator, n, raw_value, raw_error
    from style.voluntary_initiative
    union all
    select account_id, month, 'dyadic_breadth', numerator, denominator, n, raw_value, raw_error from style.dyadic_breadth
    union all
    select account_id, month, 'reciprocity', numerator, denominator, n, raw_value, raw_error from style.reciprocity
    union all
    select account_id, month, 'forward_openness', numerator, denominator, n, raw_value, raw_error
    from style.forward_openness
    union all
    select account_id, month, 'price_pressure', numerator, denominator, n, raw_value, raw_error from style.price_pressure
    union all
    select account_id, month, 'dispute_rate', numerator, denominator, n, raw_value, raw_error from style.dispute_rate
    union all
    select account_id, month, 'tender_rate', numerator, denominator, n, raw_value, raw_error from style.tender_rate
    union all
    select account_id, month, 'unilateral_change', numerator, denominator, n, raw_value, raw_error
    from style.unilateral_change
    union all
    select account_id, month, 'own_viewpoint', numerator, denominator, n, raw_value, raw_error from style.own_viewpoint
    union all
    select account_id, month, 'effort_deflection', numerator, denominator, n, raw_value, raw_error
    from style.effort_deflection
    union all
    select account_id, month, 'logging_intensity', numerator, denominator, n, raw_value, raw_error
    from style.logging_intensity
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
    union all
    select account_id, month, 'expansion_rate', numerator, denominator, n, raw_value, raw_error
    from value.expansion_rate
    union all
    select account_id, month, 'price_uplift', numerator, denominator, n, raw_value, raw_error
    from value.price_uplift
    union all
    select account_id, month, 'logo_churn', numerator, denominator, n, raw_value, raw_error
    from value.logo_churn
    union all
    select account_id, month, 'contribution_margin', numerator, denominator, n, raw_value, raw_error
    from value.contribution_margin
    union all
    select account_id, month, 'dso', numerator, denominator, n, raw_value, raw_error
    from value.dso
    union all
    select account_id, month, 'clv', numerator, denominator, n, raw_value, raw_error
    from value.clv
    union all
    select account_id, month, 'advocacy', numerator, denominator, n, raw_value, raw_error
    from value.advocacy
    union all
    select account_id, month, 'csat_response_rate', numerator, denominator, n, raw_value, raw_error
    from value.csat_response_rate
    union all
    select account_id, month, 'first_contact_resolution', numerator, denominator, n, raw_value, raw_error
    from value.first_contact_resolution
    union all
    select account_id, month, 'backlog_age', numerator, denominator, n, raw_value, raw_error
    from value.backlog_age
    union all
    select account_id, month, 'nps', numerator, denominator, n, raw_value, raw_error
    from value.nps
    union all
    select account_id, month, 'request_fulfilment', numerator, denominator, n, raw_value, raw_error
    from value.request_fulfilment
    union all
    select account_id, month, 'adoption', numerator, denominator, n, raw_value, raw_error
    from value.adoption
    union all
    select account_id, month, 'goal_attainment', numerator, denominator, n, raw_value, raw_error
    from value.goal_attainment
    union all
    select account_id, month, 'whole_and_individual', numerator, denominator, n, raw_value, raw_error
    from value.whole_and_individual
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
