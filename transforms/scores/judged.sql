-- grain: account_id, month, measure_id
-- Every measure of every account-month with its evidence; which values may speak, and why the others may not. The models
-- of style and value count; here they are put under one another. The reasons come in the order in which a person would ask:
-- is there a source, does it know the account, does it reach back far enough, is the measure defined here, is there enough.
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
),
billed as (
    select distinct account_id from value.mrr_month
),
automatic as (
    select account_id
    from canonical.invoice
    where account_id is not null
    group by account_id
    having bool_and(collection = 'auto')
),
-- Whose only renewals the law puts out to tender, and whose only changes of prices an agreed rule makes.
exempted as (
    select distinct account_id, 'tender_rate' as measure_id from style.renewal where is_exempt
    union
    select account_id, 'unilateral_change'
    from canonical.relationship_event
    where is_exempt and by_side = 'vendor' and kind in ('price_change', 'scope_change') and account_id is not null
),
-- What is known of an account in a month, and of a measure, before the two are crossed: each is joined once.
place as (
    select
        account_month.account_id,
        account_month.month,
        account_month.customer_month,
        coalesce(nullif(account.segment, ''), 'none') as segment,
        account.owner_id,
        automatic.account_id is not null as is_automatic,
        revenue.reason as revenue_reason,
        coalesce(revenue.has_paid, false) as has_paid,
        revenue.opening_reason
    from canonical.account_month as account_month
    join canonical.account as account on account.account_id = account_month.account_id
    left join automatic on automatic.account_id = account_month.account_id
    left join value.revenue as revenue
        on revenue.account_id = account_month.account_id and revenue.month = account_month.month
),
question as (
    select
        measure.measure_id,
        measure.kind,
        measure.minimum,
        measure.window_months,
        case
            when source_gap.reason is not null then source_gap.reason
            when enum_gap.reason is not null then enum_gap.reason
            when measure.measure_id in ('mrr', 'nrr', 'grr', 'expansion_rate', 'price_uplift', 'logo_churn', 'clv', 'contribution_margin')
                and not exists_billing.any_billing then 'source_not_connected'
        end as reason,
        source_until.known_until
    from setting.measure as measure
    cross join (select count(*) > 0 as any_billing from billed) as exists_billing
    left join scores.source_gap as source_gap on source_gap.measure_id = measure.measure_id
    left join scores.source_until as source_until on source_until.measure_id = measure.measure_id
    left join scores.enum_gap as enum_gap on enum_gap.measure_id = measure.measure_id
),
evidence as (
    select
        place.account_id,
        place.month,
        place.customer_month,
        place.segment,
        place.owner_id,
        place.is_automatic,
        place.revenue_reason,
        place.has_paid,
        place.opening_reason,
        question.measure_id,
        question.kind,
        question.window_months,
        question.reason as source_reason,
        question.known_until,
        counted.numerator,
        counted.denominator,
        coalesce(counted.n, 0) as n,
        counted.raw_value,
        counted.raw_error,
        coalesce(counted.n, 0) >= question.minimum and counted.raw_value is not null as is_enough
    from place
    cross join question
    left join counted
        on counted.account_id = place.account_id
        and counted.month = place.month
        and counted.measure_id = question.measure_id
),
asked as (
    select
        evidence.account_id,
        evidence.month,
        evidence.measure_id,
        evidence.kind,
        evidence.segment,
        evidence.numerator,
        evidence.denominator,
        evidence.n,
        evidence.raw_value,
        evidence.raw_error,
        case
            when evidence.source_reason is not null then evidence.source_reason
            -- Nobody has exported since a week before the month was over.
            when evidence.known_until < cast(evidence.month + to_months(1) as date) - 8 then 'stale_export'
            when coalesce(account_gap.is_unmatched, false) then 'account_unmatched'
            when account_gap.covered_from > greatest(
                evidence.customer_month, cast(evidence.month - to_months(cast(evidence.window_months - 1 as integer)) as date)
            ) then 'outside_coverage'
            when evidence.measure_id = 'days_beyond_terms' and evidence.is_automatic then 'not_applicable'
            when evidence.measure_id in ('mrr', 'nrr', 'grr', 'expansion_rate', 'price_uplift', 'clv', 'contribution_margin')
                and evidence.revenue_reason is not null then evidence.revenue_reason
            when evidence.measure_id in ('contribution_margin', 'dso') and evidence.denominator <= 0 then 'denominator_zero'
            -- Amounts of several currencies that cannot be added.
            when evidence.measure_id in ('days_beyond_terms', 'discount_depth', 'dso')
                and evidence.n > 0 and evidence.raw_value is null then 'fx_missing'
            when evidence.measure_id in ('nrr', 'grr', 'expansion_rate', 'price_uplift', 'logo_churn')
                and evidence.has_paid and not evidence.is_enough then coalesce(evidence.opening_reason, 'denominator_zero')
            -- No ticket is open: nothing has an age.
            when evidence.measure_id = 'backlog_age' and not evidence.is_enough then 'denominator_zero'
            when exempted.account_id is not null and evidence.n = 0 then 'not_applicable'
            -- A manager without another account; an account without a manager is no case for it at all.
            when evidence.measure_id = 'logging_intensity' and not evidence.is_enough
                then case when evidence.owner_id is null then 'not_applicable' else 'denominator_zero' end
            when not evidence.is_enough then 'below_min_n'
        end as reason
    from evidence
    left join exempted on exempted.account_id = evidence.account_id and exempted.measure_id = evidence.measure_id
    left join scores.account_gap as account_gap
        on account_gap.account_id = evidence.account_id and account_gap.measure_id = evidence.measure_id
)
select
    account_id,                                                             -- the company
    month,                                                                  -- the month that the value stands for
    measure_id,                                                             -- see mart.measure
    kind,                                                                   -- share, rate, duration, index, fact
    segment,                                                                -- the account's segment
    numerator,                                                              -- counts behind the value
    denominator,                                                            -- counts or exposure behind the value
    n,                                                                      -- amount of evidence
    raw_value,                                                              -- as counted
    raw_error,                                                              -- its standard error where the model knows it
    case
        when reason is null then 'ok'
        when reason in ('below_min_n', 'denominator_zero', 'not_applicable', 'account_unmatched', 'outside_coverage') then 'thin'
        else 'null'
    end as status,                                                          -- ok: may speak; thin: too little on this account; null: cannot exist
    reason                                                                  -- why it may not speak
from asked
