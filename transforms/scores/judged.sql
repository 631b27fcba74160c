-- grain: account_id, month, measure_id
-- Which values may speak, and why the others may not. The reasons in the order in which a person would ask: is there a
-- source, does it know the account, does it reach back far enough, is the measure defined here, is there enough.
with billed as (
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
            when source_gap.reason is not null then source_gap.reason
            when enum_gap.reason is not null then enum_gap.reason
            when measure.measure_id in ('mrr', 'nrr', 'grr', 'expansion_rate', 'price_uplift', 'logo_churn', 'clv', 'contribution_margin')
                and not exists_billing.any_billing then 'source_not_connected'
            -- Nobody has exported since a week before the month was over.
            when source_until.known_until < cast(evidence.month + to_months(1) as date) - 8 then 'stale_export'
            when coalesce(account_gap.is_unmatched, false) then 'account_unmatched'
            when account_gap.covered_from > greatest(
                account_month.customer_month, cast(evidence.month - to_months(cast(measure.window_months - 1 as integer)) as date)
            ) then 'outside_coverage'
            when measure.measure_id = 'days_beyond_terms' and automatic.account_id is not null then 'not_applicable'
            when measure.measure_id in ('mrr', 'nrr', 'grr', 'expansion_rate', 'price_uplift', 'clv', 'contribution_margin')
                and revenue.reason is not null then revenue.reason
            when measure.measure_id in ('contribution_margin', 'dso') and evidence.denominator <= 0 then 'denominator_zero'
            -- Amounts of several currencies that cannot be added.
            when measure.measure_id in ('days_beyond_terms', 'discount_depth', 'dso')
                and evidence.n > 0 and evidence.raw_value is null then 'fx_missing'
            when measure.measure_id in ('nrr', 'grr', 'expansion_rate', 'price_uplift', 'logo_churn')
                and revenue.has_paid and not evidence.is_enough then coalesce(revenue.opening_reason, 'denominator_zero')
            -- No ticket is open: nothing has an age.
            when measure.measure_id = 'backlog_age' and not evidence.is_enough then 'denominator_zero'
            when exempted.account_id is not null and evidence.n = 0 then 'not_applicable'
            -- A manager without another account; an account without a manager is no case for it at all.
            when measure.measure_id = 'logging_intensity' and not evidence.is_enough
                then case when account.owner_id is null then 'not_applicable' else 'denominator_zero' end
            when not evidence.is_enough then 'below_min_n'
        end as reason
    from scores.evidence as evidence
    join setting.measure as measure on measure.measure_id = evidence.measure_id
    join canonical.account_month as account_month
        on account_month.account_id = evidence.account_id and account_month.month = evidence.month
    cross join (select count(*) > 0 as any_billing from billed) as exists_billing
    join canonical.account as account on account.account_id = evidence.account_id
    left join scores.source_gap as source_gap on source_gap.measure_id = evidence.measure_id
    left join scores.source_until as source_until on source_until.measure_id = evidence.measure_id
    left join scores.enum_gap as enum_gap on enum_gap.measure_id = evidence.measure_id
    left join exempted on exempted.account_id = evidence.account_id and exempted.measure_id = evidence.measure_id
    left join scores.account_gap as account_gap
        on account_gap.account_id = evidence.account_id and account_gap.measure_id = evidence.measure_id
    left join automatic on automatic.account_id = evidence.account_id
    left join value.revenue as revenue on revenue.account_id = evidence.account_id and revenue.month = evidence.month
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
