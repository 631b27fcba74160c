-- The tickets of the style window that dispute an invoice.
select 'ticket' as kind, ticket.ticket_id as id, ticket.day, 1 as number, 'dispute' as what
from canonical.ticket as ticket
join style.window as style_window
    on style_window.account_id = ticket.account_id
    and style_window.month = $month
    and ticket.month between style_window.window_start and style_window.month
left join canonical.signal as signal
    on signal.entity = 'ticket' and signal.entity_id = ticket.ticket_id and signal.class = 'dispute'
where ticket.account_id = $account_id
    and (signal.entity_id is not null or ticket.type = 'price_dispute')
    and not coalesce(ticket.upheld, false)
