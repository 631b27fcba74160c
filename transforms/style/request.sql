-- grain: request_id
-- Discount or concession requests by the customer, whether granted or not (what was granted is a matter of value). A
-- thread is one request, and only where the customer was the first in it to speak of the price: an answer to our own
-- offer asks for nothing. A ticket that our people wrote is no request of the customer's.
with spoken as (
    select
        activity.activity_id,
        activity.account_id,
        activity.day,
        activity.month,
        activity.known_month,
        activity.initiated_by,
        row_number() over (
            partition by activity.account_id, coalesce(activity.thread_id, activity.activity_id)
            order by activity.started_at, activity.activity_id
        ) as turn
    from canonical.signal as signal
    join canonical.activity as activity on activity.activity_id = signal.entity_id
    where signal.entity = 'activity' and signal.class = 'discount_request' and activity.initiated_by <> 'unknown'
),
every as (
    select activity_id as request_id, account_id, day, month, known_month
    from spoken
    where turn = 1 and initiated_by = 'customer'
    union all
    select ticket.ticket_id, ticket.account_id, ticket.day, ticket.month, ticket.known_month
    from canonical.signal as signal
    join canonical.ticket as ticket on ticket.ticket_id = signal.entity_id
    left join canonical.human as requester on requester.person_id = ticket.requester_id
    where signal.entity = 'ticket' and signal.class = 'discount_request' and coalesce(requester.side, '') <> 'vendor'
)
select
    request_id,         -- activity_id of the thread's first request, or ticket_id
    account_id,         -- the company
    day,                -- day of the request
    month,              -- its month
    known_month         -- first month whose windows may count it
from every
where account_id is not null
