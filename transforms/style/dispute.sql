-- grain: dispute_id
-- Disputes and credit requests that were not upheld as our own error. Whether a credit note followed is a matter of value.
with said as (
    select distinct entity_id from canonical.signal where entity = 'ticket' and class = 'dispute'
)
select
    ticket.ticket_id as dispute_id,     -- the ticket
    ticket.account_id,                  -- the company
    ticket.day,                         -- day of the dispute
    ticket.month,                       -- its month
    ticket.known_month                  -- first month whose windows may count it
from canonical.ticket as ticket
left join said on said.entity_id = ticket.ticket_id
where ticket.account_id is not null
    and (said.entity_id is not null or ticket.type = 'price_dispute')
    and not coalesce(ticket.upheld, false)
