-- grain: account_id, month
-- P3: participation events per 90 days.
with monthly as (
    select account_id, month, known_month, count(*) as events
    from style.participation
    group by account_id, month, known_month
)
select
    style_window.account_id,                                                    -- the company
    style_window.month,                                                         -- last month of the window
    cast(coalesce(sum(monthly.events), 0) as double) as numerator,              -- participation events
    style_window.days / 90 as denominator,                                      -- exposure in units of 90 days
    style_window.days as n,                                                     -- the evidence: days
    coalesce(sum(monthly.events), 0) / (style_window.days / 90) as raw_value,   -- events per 90 days
    cast(null as double) as raw_error                                           -- from the counts
from style.window as style_window
left join monthly
    on monthly.account_id = style_window.account_id
    and monthly.month >= style_window.window_start
    and monthly.known_month <= style_window.month
group by style_window.account_id, style_window.month, style_window.days
