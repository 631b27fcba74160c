-- grain: account_id, month
-- O1: share of the goals pursued in the window that serve one side alone.
select
    style_window.account_id,                                                            -- the company
    style_window.month,                                                                 -- last month of the window
    cast(count(case when goal.beneficiary <> 'joint' then 1 end) as double) as numerator, -- goals of one side
    cast(count(goal.goal_id) as double) as denominator,                                 -- goals whose beneficiary is known
    cast(count(goal.goal_id) as bigint) as n,                                           -- the evidence: goals
    count(case when goal.beneficiary <> 'joint' then 1 end) / nullif(count(goal.goal_id), 0) as raw_value, -- share
    cast(null as double) as raw_error                                                   -- from the counts
from style.window as style_window
left join style.tagged_goal as goal
    on goal.account_id = style_window.account_id
    and goal.start_on <= last_day(style_window.month)
    and goal.day <= last_day(style_window.month)
    and coalesce(goal.end_on >= style_window.window_start, true)
group by style_window.account_id, style_window.month
