-- The goals pursued in the style window, and for whom.
select 'goal' as kind, goal.goal_id as id, goal.due_on as day, 1 as number, concat('benefits: ', goal.beneficiary) as what
from canonical.goal as goal
join style.window as style_window
    on style_window.account_id = goal.account_id
    and style_window.month = $month
    and goal.start_on <= last_day(style_window.month)
    and coalesce(goal.ended_on, goal.due_on) >= style_window.window_start
where goal.account_id = $account_id
