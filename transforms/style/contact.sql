-- grain: contact_id
-- Contacts with a known initiator: mails, calls and meetings by their direction, tickets by their requester. Replies in
-- the same thread within 7 days of the message before are no contact of their own; nor is what a machine or a shared
-- mailbox sent. A ticket that one of our own people wrote on the customer's behalf was started by us.
with person as (
    select person_id, side, is_shared from canonical.human
),
-- Price and payment belong to cost focus; incidents, renewals and contracts have to be talked about.
obligatory as (
    select distinct entity, entity_id
    from canonical.signal
    where class in ('incident', 'dunning', 'negotiation', 'discount_request', 'dispute', 'tender')
),
automatic as (
    select distinct entity, entity_id from canonical.signal where class = 'automatic'
),
message as (
    select
        activity.activity_id,
        activity.account_id,
        activity.day,
        activity.month,
        activity.known_month,
        activity.initiated_by,
        activity.purpose,
        activity.started_at,
        lag(activity.started_at) over (
            partition by activity.account_id, activity.thread_id order by activity.started_at, activity.activity_id
        ) as message_before,
        activity.thread_id
    from canonical.activity as activity
    left join person on person.person_id = activity.customer_person_id
    left join automatic on automatic.entity = 'activity' and automatic.entity_id = activity.activity_id
    where activity.status in ('held', 'unknown')
        and activity.initiated_by in ('vendor', 'customer')
        and activity.account_id is not null
        and not coalesce(person.is_shared, false)
        and automatic.entity_id is null
),
told as (
    select
        message.activity_id as contact_id,
        message.account_id,
        message.day,
        message.month,
        message.known_month,
        message.initiated_by,
        obligatory.entity_id is not null or message.purpose in ('negotiation', 'dunning', 'support') as is_obligatory
    from message
    left join obligatory on obligatory.entity = 'activity' and obligatory.entity_id = message.activity_id
    where message.thread_id is null
        or message.message_before is null
        or message.message_before < message.started_at - to_days(7)
),
ticketed as (
    select
        ticket.ticket_id as contact_id,
        ticket.account_id,
        ticket.day,
        ticket.month,
        ticket.known_month,
        case when person.side = 'vendor' then 'vendor' else 'customer' end as initiated_by,
        obligatory.entity_id is not null or ticket.type in ('incident', 'billing', 'price_dispute') as is_obligatory
    from canonical.ticket as ticket
    left join person on person.person_id = ticket.requester_id
    left join obligatory on obligatory.entity = 'ticket' and obligatory.entity_id = ticket.ticket_id
    left join automatic on automatic.entity = 'ticket' and automatic.entity_id = ticket.ticket_id
    where ticket.account_id is not null
        and ticket.type <> 'unknown'
        and not coalesce(person.is_shared, false)
        and automatic.entity_id is null
),
every as (
    select contact_id, account_id, day, month, known_month, initiated_by, is_obligatory from told
    union all
    select contact_id, account_id, day, month, known_month, initiated_by, is_obligatory from ticketed
)
select
    contact_id,         -- activity_id or ticket_id
    account_id,         -- the company
    day,                -- day of the contact
    month,              -- its month
    known_month,        -- first month whose windows may count it
    initiated_by,       -- vendor or customer
    is_obligatory       -- incident, billing, renewal or contract: says nothing about will
from every
