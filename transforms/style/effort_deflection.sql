-- grain: account_id, month
-- C5: share of closed tickets that were closed against the customer's word. Secondary: it shares columns with the
-- customer's value (reopenings, the time of the solution) and enters no score.
with monthly as (
    select account_id, month, known_month, count(*) as closed, count(case when is_deflected then 1 end) as deflected
    from style.closure
    group by account_id, month, known_month
)
select
    style_window.account_id,                                                    -- the company
    style_window.month,                                                         -- last month of the window
    cast(coalesce(sum(monthly.deflected), 0) as double) as numerator,           -- tickets closed against the customer's word
    cast(coalesce(sum(monthly.closed), 0) as double) as denominator,            -- closed tickets
    cast(coalesce(sum(monthly.closed), 0) as bigint) as n,                      -- the evidence: closed tickets
    sum(monthly.deflected) / nullif(sum(monthly.closed), 0) as raw_value,       -- share
    cast(null as double) as raw_error                                           -- from the counts
from style.window as style_window
left join monthly
    on monthly.account_id = style_window.account_id
    and monthly.month >= style_window.window_start
    and monthly.known_month <= style_window.month
group by style_window.account_id, style_window.month
