-- The tickets of the value window with minutes of work.
select 'ticket' as kind, ticket.ticket_id as id, ticket.day, ticket.effort_min as number, 'minutes of work' as what
from canonical.ticket as ticket
join value.window as value_window
    on value_window.account_id = ticket.account_id
    and value_window.month = $month
    and ticket.month between value_window.window_start and value_window.window_end
where ticket.account_id = $account_id and ticket.effort_min > 0
