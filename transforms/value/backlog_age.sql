-- grain: account_id, month
-- Mean age of the tickets that were open at the end of the month (after churn: of the last paid month).
with open_ticket as (
    select
        account_id,
        created_at,
        month as first_month,
        unnest(range(0, 1 + months_between(month, coalesce(least(local_month(solved_at, run.timezone), run.last_month), run.last_month)))) as step,
        solved_at
    from canonical.ticket
    cross join setting.run as run
    where account_id is not null and month <= run.last_month
        -- Closed without a time: nobody knows how long it stood open.
        and (solved_at is not null or status not in ('solved', 'closed'))
),
aged as (
    select
        account_id,
        cast(first_month + to_months(cast(step as integer)) as date) as month,
        epoch(
            cast(last_day(cast(first_month + to_months(cast(step as integer)) as date)) + 1 as timestamp) - created_at
        ) / 86400 as days,
        coalesce(
            solved_at >= cast(last_day(cast(first_month + to_months(cast(step as integer)) as date)) + 1 as timestamp), true
        ) as is_open
    from open_ticket
),
monthly as (
    select account_id, month, count(*) as tickets, cast(sum(exact(days)) as double) as days
    from aged
    where is_open
    group by account_id, month
)
select
    value_window.account_id,                            -- the company
    value_window.month,                                 -- the month that the value stands for
    monthly.days as numerator,                          -- days that the open tickets had stood open
    cast(monthly.tickets as double) as denominator,     -- open tickets
    monthly.tickets as n,                               -- the evidence: open tickets
    monthly.days / monthly.tickets as raw_value,        -- days
    cast(null as double) as raw_error                   -- all open tickets are no sample
from value.window as value_window
join monthly on monthly.account_id = value_window.account_id and monthly.month = value_window.window_end
