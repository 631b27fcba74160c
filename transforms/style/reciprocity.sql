-- grain: account_id, month
-- P6: 1 when each side writes as much as the other, 0 when one alone does.
with talk as (
    select
        account_id,
        month,
        known_month,
        thread_key,
        count(case when from_side = 'customer' then 1 end) as theirs,
        count(case when from_side = 'vendor' then 1 end) as ours
    from style.message
    group by account_id, month, known_month, thread_key
),
monthly as (
    select
        account_id,
        month,
        known_month,
        sum(theirs) as theirs,
        sum(ours) as ours,
        count(*) as threads,
        sum(power(theirs - ours, 2)) as surplus_square
    from talk
    group by account_id, month, known_month
),
summed as (
    select
        style_window.account_id,
        style_window.month,
        coalesce(sum(monthly.theirs), 0) as theirs,
        coalesce(sum(monthly.ours), 0) as ours,
        sum(monthly.threads) as threads,
        sum(monthly.surplus_square) as surplus_square
    from style.window as style_window
    left join monthly
        on monthly.account_id = style_window.account_id
        and monthly.month >= style_window.window_start
        and monthly.known_month <= style_window.month
    group by style_window.account_id, style_window.month
),
-- Messages answer each other, so threads are drawn, not messages: the error of the surplus of one side is that of a sum
-- over threads. Half a thread is added, so that nothing is certain.
spread as (
    select
        account_id,
        month,
        theirs,
        ours,
        abs(theirs - ours) / nullif(theirs + ours, 0) as surplus,
        sqrt(surplus_square - power(theirs - ours, 2) / nullif(threads, 0) + 0.5) / nullif(theirs + ours, 0) as error
    from summed
),
folded as (
    select
        account_id,
        month,
        theirs,
        ours,
        surplus,
        error,
        error * sqrt(2 / pi()) * exp(-power(surplus / error, 2) / 2) + surplus * (2 * normal_cdf(surplus / error) - 1) as expected
    from spread
)
select
    account_id,                                                             -- the company
    month,                                                                  -- last month of the window
    cast(2 * least(theirs, ours) as double) as numerator,                   -- messages that were returned, of both sides
    cast(theirs + ours as double) as denominator,                           -- messages
    cast(theirs + ours as bigint) as n,                                     -- the evidence: messages
    2 * least(theirs, ours) / nullif(theirs + ours, 0) as raw_value,        -- 0-1
    -- Which side has the surplus does not matter, so its distribution is folded at 0.
    sqrt(greatest(power(surplus, 2) + power(error, 2) - power(expected, 2), 0)) as raw_error -- standard error
from folded
