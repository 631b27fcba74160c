-- grain: account_id, month
-- Interactions in the style window of each account-month, and in how many of its months there were any.
with monthly as (
    select account_id, month, known_month, count(distinct (day, thread_key)) as interactions
    from style.interaction
    group by account_id, month, known_month
)
select
    style_window.account_id,                                                -- the company
    style_window.month,                                                     -- last month of the window
    cast(coalesce(sum(monthly.interactions), 0) as bigint) as interactions, -- one thread and day is one
    count(distinct monthly.month) as months                                 -- months with an interaction
from style.window as style_window
left join monthly
    on monthly.account_id = style_window.account_id
    and monthly.month >= style_window.window_start
    and monthly.known_month <= style_window.month
group by style_window.account_id, style_window.month
