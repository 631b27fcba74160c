-- grain: account_id, month, product, reason
-- Recurring revenue in force on the last day of each month, by product: lines normalised to a month over the months of
-- their period, also those that grant a discount for a period. A subscription's own amount counts only for accounts
-- without lines. Amounts in another currency are converted by the rate of their invoice's day; those without a rate are
-- counted apart, never added. A product that several systems bill is one sale told twice (DECISIONS, "One product, two
-- systems"): it counts once where they agree, and is counted apart where they do not.
with line as (
    select
        line.account_id,
        split_part(line.invoice_id, ':', 1) as source_system,
        line.kind,
        coalesce(line.product, '') as product,
        coalesce(line.fx_reason, '') as reason,
        case when line.kind = 'recurring' then line.quantity end as quantity,
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
    where line.kind in ('recurring', 'discount') and line.account_id is not null and line.period_end_on > line.period_start_on
),
billed as (
    -- A line without a period is no revenue of a month, so it does not replace the subscription's own amount.
    select distinct account_id from line where kind = 'recurring'
),
in_force as (
    select account_id, source_system, product, reason, quantity, monthly, first_month, unnest(range(0, month_ends)) as step
    from line
    union all
    select
        subscription.account_id,
        subscription.source_system,
        coalesce(subscription.product, ''),
        coalesce(subscription.fx_reason, ''),
        subscription.quantity,
        subscription.mrr_base,
        cast(date_trunc('month', subscription.started_on) as date),
        unnest(
            range(0, months_between(subscription.started_on, least(coalesce(subscription.ended_on, run.as_of + 1), run.as_of + 1)))
        )
    from canonical.subscription as subscription
    cross join setting.run as run
    left join billed on billed.account_id = subscription.account_id
    where billed.account_id is null
        and subscription.account_id is not null
        and subscription.mrr is not null
        and subscription.started_on is not null
        and not subscription.is_trial
),
dated as (
    select
        account_id,
        source_system,
        product,
        reason,
        quantity,
        monthly,
        cast(first_month + to_months(cast(step as integer)) as date) as month
    from in_force
),
told as (
    select
        dated.account_id,
        dated.source_system,
        dated.month,
        dated.product,
        dated.reason,
        sum(exact(dated.monthly)) as mrr,
        sum(exact(dated.quantity)) as quantity,
        count(*) as lines
    from dated
    cross join setting.run as run
    where dated.month <= run.last_month
    group by dated.account_id, dated.source_system, dated.month, dated.product, dated.reason
),
compared as (
    select
        account_id,
        month,
        product,
        reason,
        -- What one system took back with a credit is no second telling.
        product <> '' and reason = '' and count(case when mrr > 0 then 1 end) > 1 as is_told_twice,
        -- The tolerance is a hundredth: cents, and broken periods.
        max(mrr) - min(case when mrr > 0 then mrr end) > 0.01 * max(mrr) as is_disputed,
        sum(mrr) as total,
        max(mrr) as largest,
        sum(quantity) as total_quantity,
        max(quantity) as largest_quantity,
        sum(lines) as lines
    from told
    group by account_id, month, product, reason
)
select
    account_id,                                                     -- the company
    month,                                                          -- the month
    product,                                                        -- product or plan; empty where the source names none
    case when is_told_twice and is_disputed then 'conflicting_sources' else reason end as reason, -- currency_missing, fx_missing or conflicting_sources where there is no amount; else empty
    cast(case when is_told_twice then largest else total end as decimal(38, 12)) as mrr, -- in the project's currency
    cast(case when is_told_twice then largest_quantity else total_quantity end as double) as quantity, -- seats or pieces, where recorded
    cast(lines as bigint) as lines                                  -- lines or subscriptions behind it
from compared
