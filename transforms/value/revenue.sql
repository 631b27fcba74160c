-- grain: account_id, month
-- Recurring revenue for every account-month: 0 only where billing is known and nothing was in force.
with paying as (
    select account_id, min(month) as first_paid_month, max(case when mrr > 0 then month end) as last_paid_month
    from value.mrr_month
    group by account_id
),
joined as (
    select
        account_month.account_id,
        account_month.month,
        case
            when mrr_month.account_id is null then cast(0 as decimal(18, 2))
            when mrr_month.without_currency = 0 and mrr_month.without_rate = 0 and mrr_month.in_conflict = 0 then mrr_month.mrr
        end as mrr,
        case
            when mrr_month.without_currency > 0 then 'currency_missing'
            when mrr_month.without_rate > 0 then 'fx_missing'
            when mrr_month.in_conflict > 0 then 'conflicting_sources'
        end as reason,
        paying.first_paid_month
    from canonical.account_month as account_month
    join paying on paying.account_id = account_month.account_id
    left join value.mrr_month as mrr_month
        on mrr_month.account_id = account_month.account_id and mrr_month.month = account_month.month
)
select
    account_id,                                                     -- the company
    month,                                                          -- the month
    mrr,                                                            -- in the project's currency; null without a rate or in conflict
    reason,                                                         -- currency_missing, fx_missing or conflicting_sources where mrr is null
    lag(mrr) over (partition by account_id order by month) as opening, -- mrr of the month before
    lag(mrr, 6) over (partition by account_id order by month) as opening_of_window, -- mrr 6 months before
    lag(reason, 6) over (partition by account_id order by month) as opening_reason, -- why that is null
    month >= first_paid_month as has_paid,                          -- paid in this month or one before
    -- What cannot be converted or believed was still paid for.
    max(case when mrr > 0 or reason is not null then month end) over (
        partition by account_id order by month rows between unbounded preceding and current row
    ) as last_paid_month                                            -- latest month with revenue so far
from joined
