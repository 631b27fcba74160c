-- The rated tickets of the value window.
select 'ticket' as kind, ticket.ticket_id as id, ticket.day, ticket.csat as number, 'rating, 0 to 1' as what
from canonical.ticket as ticket
join value.window as value_window
    on value_window.account_id = ticket.account_id
    and value_window.month = $month
    and ticket.month between value_window.window_start and value_window.window_end
where ticket.account_id = $account_id and ticket.csat is not null
