-- The plan and volume changes of the style window.
select
    'event' as kind,
    event.event_id as id,
    event.announced_on as day,
    event.effective_on - event.announced_on as number,
    concat('days ahead; ', event.kind, ' by ', event.by_side) as what
from canonical.relationship_event as event
join style.window as style_window
    on style_window.account_id = event.account_id
    and style_window.month = $month
    and event.announced_on between style_window.window_start and last_day(style_window.month)
where event.account_id = $account_id and event.by_side = 'customer'
