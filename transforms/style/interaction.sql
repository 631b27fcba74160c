-- grain: account_id, day, thread_key, customer_human_id, vendor_human_id
-- Interactions between people of the two sides: one thread and day is one interaction of the people in it.
-- Bots and shared mailboxes are nobody.
with met as (
    select
        account_id,
        day,
        month,
        known_month,
        coalesce(thread_id, activity_id) as thread_key,
        customer_person_id,
        vendor_person_id
    from canonical.activity
    where kind in ('meeting', 'call', 'email') and status in ('held', 'unknown') and account_id is not null
),
wrote as (
    select
        ticket.account_id,
        comment.day,
        comment.month,
        comment.known_month,
        comment.ticket_id as thread_key,
        case when comment.author_side = 'customer' then comment.author_id end as customer_person_id,
        case when comment.author_side = 'vendor' then comment.author_id end as vendor_person_id
    from canonical.ticket_comment as comment
    join canonical.ticket as ticket on ticket.ticket_id = comment.ticket_id
    where comment.is_public and comment.author_side in ('customer', 'vendor') and ticket.account_id is not null
),
asked as (
    select
        account_id,
        day,
        month,
        known_month,
        ticket_id as thread_key,
        requester_id as customer_person_id,
        assignee_id as vendor_person_id
    from canonical.ticket
    where account_id is not null
),
every as (
    select account_id, day, month, known_month, thread_key, customer_person_id, vendor_person_id from met
    union all
    select account_id, day, month, known_month, thread_key, customer_person_id, vendor_person_id from wrote
    union all
    select account_id, day, month, known_month, thread_key, customer_person_id, vendor_person_id from asked
)
select
    every.account_id,                           -- the company
    every.day,                                  -- day in the project's zone
    every.month,                                -- its month
    every.thread_key,                           -- mail thread, ticket or single meeting
    coalesce(customer.human_id, '') as customer_human_id, -- their person; empty when not known
    coalesce(vendor.human_id, '') as vendor_human_id, -- our person; empty when not known
    min(every.known_month) as known_month       -- first month whose windows may count it
from every
left join canonical.human as customer
    on customer.person_id = every.customer_person_id and customer.side = 'customer' and not customer.is_shared
left join canonical.human as vendor
    on vendor.person_id = every.vendor_person_id and vendor.side = 'vendor' and not vendor.is_shared
where customer.human_id is not null or vendor.human_id is not null
group by every.account_id, every.day, every.month, every.thread_key, customer.human_id, vendor.human_id
