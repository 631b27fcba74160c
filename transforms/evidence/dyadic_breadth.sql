-- The meetings, calls and mails of the style window.
select 'activity' as kind, activity.activity_id as id, activity.day, 1 as number, activity.kind as what
from canonical.activity as activity
join style.window as style_window
    on style_window.account_id = activity.account_id
    and style_window.month = $month
    and activity.month between style_window.window_start and style_window.month
where activity.account_id = $account_id and activity.kind in ('meeting', 'call', 'email') and activity.status in ('held', 'unknown')
