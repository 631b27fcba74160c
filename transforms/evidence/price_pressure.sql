-- The tickets and contacts of the style window that ask for a discount.
select 'ticket' as kind, ticket.ticket_id as id, ticket.day, 1 as number, signal.class as what
from canonical.signal as signal
join canonical.ticket as ticket on signal.entity = 'ticket' and ticket.ticket_id = signal.entity_id
join style.window as style_window
    on style_window.account_id = ticket.account_id
    and style_window.month = $month
    and ticket.month between style_window.window_start and style_window.month
where ticket.account_id = $account_id and signal.class = 'discount_request'
union all
select 'activity', activity.activity_id, activity.day, 1, signal.class
from canonical.signal as signal
join canonical.activity as activity on signal.entity = 'activity' and activity.activity_id = signal.entity_id
join style.window as style_window
    on style_window.account_id = activity.account_id
    and style_window.month = $month
    and activity.month between style_window.window_start and style_window.month
where activity.account_id = $account_id and signal.class = 'discount_request'
