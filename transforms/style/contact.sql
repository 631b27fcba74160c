-- grain: contact_id
-- Contacts with a known initiator: mails, calls and meetings by their direction, tickets by their requester. Replies in
-- the same thread within 7 days of the message before are no contact of their own.
with message as (
    select
        activity_id,
        account_id,
        month,
        initiated_by,
        purpose,
        started_at,
        lag(started_at) over (partition by account_id, thread_id order by started_at, activity_id) as message_before,
        thread_id
    from canonical.activity
    where status in ('held', 'unknown') and initiated_by in ('vendor', 'customer') and account_id is not null
),
first_message as (
    select activity_id, account_id, month, initiated_by, purpose
    from message
    where thread_id is null or message_before is null or message_before < started_at - to_days(7)
),
-- Price and payment belong to cost focus; incidents, renewals and contracts have to be talked about.
obligatory as (
    select distinct entity, entity_id
    from canonical.signal
    where class in ('incident', 'dunning', 'negotiation', 'discount_request', 'dispute')
),
told as (
    select
        first_message.activity_id as contact_id,
        first_message.account_id,
        first_message.month,
        first_message.initiated_by,
        obligatory.entity_id is not null or first_message.purpose in ('negotiation', 'dunning', 'support')
            as is_obligatory
    from first_message
    left join obligatory on obligatory.entity = 'activity' and obligatory.entity_id = first_message.activity_id
),
ticketed as (
    select
        ticket.ticket_id as contact_id,
        ticket.account_id,
        ticket.month,
        'customer' as initiated_by,
        obligatory.entity_id is not null or ticket.type in ('incident', 'billing', 'price_dispute') as is_obligatory
    from canonical.ticket as ticket
    left join obligatory on obligatory.entity = 'ticket' and obligatory.entity_id = ticket.ticket_id
    where ticket.account_id is not null and ticket.type <> 'unknown'
),
every as (
    select contact_id, account_id, month, initiated_by, is_obligatory from told
    union all
    select contact_id, account_id, month, initiated_by, is_obligatory from ticketed
)
select
    contact_id,         -- activity_id or ticket_id
    account_id,         -- the company
    month,              -- month of the contact
    initiated_by,       -- vendor or customer
    is_obligatory       -- incident, billing, renewal or contract: says nothing about will
from every
