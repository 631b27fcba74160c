-- grain: participation_id
-- Events in which an existing customer took part in making the product. Asking for a feature is none; discussing it is:
-- two or more later comments by the customer's own people. A ticket that our people wrote on a customer's behalf shows
-- what we thought; without a word of the customer's own it is none either.
with ours as (
    select person_id from canonical.human where side = 'vendor' or is_shared
),
discussion as (
    select comment.ticket_id, count(*) as comments
    from canonical.ticket_comment as comment
    join canonical.ticket as ticket on ticket.ticket_id = comment.ticket_id
    left join ours on ours.person_id = comment.author_id
    where comment.author_side = 'customer' and comment.created_at > ticket.created_at and ours.person_id is null
    group by comment.ticket_id
),
request as (
    select distinct entity_id as ticket_id from canonical.signal where entity = 'ticket' and class = 'feature_request'
    union
    select ticket_id from canonical.ticket where type = 'feature_request'
),
marked as (
    select distinct entity, entity_id from canonical.signal where class in ('pilot', 'co_design')
),
every as (
    select ticket.ticket_id as participation_id, ticket.account_id, ticket.day, ticket.month, ticket.known_month
    from canonical.ticket as ticket
    left join ours on ours.person_id = ticket.requester_id
    left join marked on marked.entity = 'ticket' and marked.entity_id = ticket.ticket_id
    left join request on request.ticket_id = ticket.ticket_id
    left join discussion on discussion.ticket_id = ticket.ticket_id
    where (marked.entity_id is not null and (ours.person_id is null or discussion.comments >= 1))
        or (request.ticket_id is not null and discussion.comments >= 2)
    union all
    -- One mail thread about a pilot is one event, not one for every mail.
    select
        min(activity.activity_id), activity.account_id, min(activity.day), min(activity.month), min(activity.known_month)
    from canonical.activity as activity
    left join marked on marked.entity = 'activity' and marked.entity_id = activity.activity_id
    where activity.kind in ('meeting', 'call')
        and activity.status in ('held', 'unknown')
        -- A field for the purpose is believed before the words are.
        and case activity.purpose_source when 'field' then activity.purpose = 'co_design' else marked.entity_id is not null end
    group by activity.account_id, coalesce(activity.thread_id, activity.activity_id)
    union all
    select event_id, account_id, day, month, known_month
    from canonical.cocreation_event
    where kind in ('beta', 'pilot', 'design_session', 'advisory_board')
)
select
    participation_id,   -- ticket_id, activity_id or event_id
    account_id,         -- the company
    day,                -- day of the event
    month,              -- its month
    known_month         -- first month whose windows may count it
from every
where account_id is not null
