-- grain: message_id
-- Written messages of substance in either direction: mails, and public comments on tickets. What machines and shared
-- mailboxes send, reminders of payment and greetings say nothing of an exchange. Where a system exports a kind of
-- message in one direction only, silence in the other is a gap of the export: that channel is left out.
with empty_talk as (
    select distinct entity_id
    from canonical.signal
    where entity = 'activity' and class in ('automatic', 'dunning', 'social')
),
mailed as (
    select
        activity.activity_id as message_id,
        activity.account_id,
        activity.source_system || ' mail' as channel,
        activity.initiated_by as from_side,
        coalesce(activity.thread_id, activity.activity_id) as thread_key,
        activity.day,
        activity.month,
        activity.known_month
    from canonical.activity as activity
    left join canonical.human as customer on customer.person_id = activity.customer_person_id
    left join empty_talk on empty_talk.entity_id = activity.activity_id
    where activity.kind = 'email'
        and activity.status in ('held', 'unknown')
        and activity.initiated_by in ('vendor', 'customer')
        and not coalesce(customer.is_shared, false)
        and empty_talk.entity_id is null
),
commented as (
    select
        comment.ticket_comment_id as message_id,
        ticket.account_id,
        ticket.source_system || ' comment' as channel,
        comment.author_side as from_side,
        comment.ticket_id as thread_key,
        comment.day,
        comment.month,
        comment.known_month
    from canonical.ticket_comment as comment
    join canonical.ticket as ticket on ticket.ticket_id = comment.ticket_id
    left join canonical.human as author on author.person_id = comment.author_id
    where comment.is_public and comment.author_side in ('customer', 'vendor') and not coalesce(author.is_shared, false)
),
every as (
    select message_id, account_id, channel, from_side, thread_key, day, month, known_month from mailed
    union all
    select message_id, account_id, channel, from_side, thread_key, day, month, known_month from commented
),
two_way as (
    select channel from every group by channel having count(distinct from_side) = 2
)
select
    every.message_id,       -- activity_id or ticket_comment_id
    every.account_id,       -- the company
    every.from_side,        -- customer or vendor
    every.thread_key,       -- mail thread or ticket
    every.day,              -- day of the message
    every.month,            -- its month
    every.known_month       -- first month whose windows may count it
from every
join two_way on two_way.channel = every.channel
where every.account_id is not null
