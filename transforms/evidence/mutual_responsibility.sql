-- The actions of plans due in the style window.
select
    'action' as kind,
    action.action_id as id,
    action.first_due_on as day,
    action.done_on - action.first_due_on as number,
    concat('days after its date when done; owner: ', action.owner_side) as what
from canonical.plan_action as action
join style.window as style_window
    on style_window.account_id = action.account_id
    and style_window.month = $month
    and action.first_due_on between style_window.window_start and last_day(style_window.month)
where action.account_id = $account_id
