-- The tickets of the value window, solved or not.
select 'ticket' as kind, ticket.ticket_id as id, ticket.day, ticket.full_resolution_min as number, case when ticket.solved_at is null then 'not solved' else 'minutes to the resolution' end as what
from canonical.ticket as ticket
join value.window as value_window
    on value_window.account_id = ticket.account_id
    and value_window.month = $month
    and ticket.month between value_window.window_start and value_window.window_end
where ticket.account_id = $account_id and (ticket.solved_at is null or ticket.full_resolution_min is not null)
