-- grain: account_id, month
-- Recurring revenue in force on the last day of each month: lines normalised to a month over the months of their period,
-- account grain, so that a plan swap is no churn. A subscription's own amount counts only for accounts without lines.
-- Amounts in another currency are converted by the rate of their invoice's day; those without a rate are counted apart,
-- never added.
with line as (
    select
        line.account_id,
        line.fx_reason,
        cast(date_trunc('month', line.period_start_on) as date) as first_month,
        -- The month ends inside [start, end).
        months_between(date_trunc('month', line.period_start_on), date_trunc('month', line.period_end_on)) as month_ends,
        case
            when day(line.period_start_on) = day(line.period_end_on)
                then line.net_base / months_between(line.period_start_on, line.period_end_on)
            -- A broken period by its days: 365.25 / 12 to a month.
            else line.net_base * 30.4375 / (line.period_end_on - line.period_start_on)
        end as monthly
    from canonical.invoice_line as line
    where line.kind = 'recurring' and line.account_id is not null and line.period_end_on > line.period_start_on
),
line_month as (
    select account_id, fx_reason, monthly, first_month, unnest(range(0, month_ends)) as step from line
),
billed as (
    -- A line without a period is no revenue of a month, so it does not replace the subscription's own amount.
    select distinct account_id
    from canonical.invoice_line
    where kind = 'recurring' and account_id is not null and period_end_on > period_start_on
),
subscribed as (
    select
        subscription.account_id,
        subscription.fx_reason,
        subscription.mrr_base as monthly,
        cast(date_trunc('month', subscription.started_on) as date) as first_month,
        unnest(
            range(0, months_between(subscription.started_on, least(coalesce(subscription.ended_on, run.as_of + 1), run.as_of + 1)))
        ) as step
    from canonical.subscription as subscription
    cross join setting.run as run
    left join billed on billed.account_id = subscription.account_id
    where billed.account_id is null
        and subscription.account_id is not null
        and subscription.mrr is not null
        and subscription.started_on is not null
        and not subscription.is_trial
),
in_force as (
    select account_id, fx_reason, monthly, cast(first_month + to_months(cast(step as integer)) as date) as month
    from line_month
    union all
    select account_id, fx_reason, monthly, cast(first_month + to_months(cast(step as integer)) as date)
    from subscribed
)
select
    in_force.account_id,                                                        -- the company
    in_force.month,                                                             -- the month
    cast(sum(
        case when in_force.fx_reason is null then exact(in_force.monthly) else 0 end
    ) as decimal(18, 2)) as mrr,                                                -- in the project's currency
    count(case when in_force.fx_reason is null then 1 end) as in_currency,      -- lines in, or converted to, the project's currency
    count(case when in_force.fx_reason = 'currency_missing' then 1 end) as without_currency, -- lines that say no currency
    count(case when in_force.fx_reason = 'fx_missing' then 1 end) as without_rate -- lines in a currency without a rate
from in_force
cross join setting.run as run
where in_force.month <= run.last_month
group by in_force.account_id, in_force.month
