-- grain: ticket_id
-- Tickets that we closed, and whether the customer had more to say: wrote within 7 days after it was closed for good, or
-- answered one of ours within 7 days where it was reopened. Closing after silence deflects nothing.
with said as (
    select
        comment.ticket_id,
        comment.author_side,
        comment.created_at,
        lag(comment.author_side) over ticket_turns as side_before,
        lag(comment.created_at) over ticket_turns as said_before
    from canonical.ticket_comment as comment
    where comment.is_public and comment.author_side in ('customer', 'vendor')
    window ticket_turns as (partition by comment.ticket_id order by comment.created_at, comment.ticket_comment_id)
),
protested as (
    select
        ticket.ticket_id,
        bool_or(said.created_at > ticket.solved_at and said.created_at <= ticket.solved_at + to_days(7)) as after_closing,
        bool_or(
            ticket.reopens > 0 and said.side_before = 'vendor' and said.created_at <= said.said_before + to_days(7)
        ) as before_reopening
    from canonical.ticket as ticket
    join said on said.ticket_id = ticket.ticket_id and said.author_side = 'customer'
    where ticket.solved_at is not null
    group by ticket.ticket_id
)
select
    ticket.ticket_id,                                                       -- the ticket
    ticket.account_id,                                                      -- the company
    local_day(ticket.solved_at, run.timezone) as day,                       -- day on which it was closed
    local_month(ticket.solved_at, run.timezone) as month,                   -- its month
    greatest(local_month(ticket.solved_at, run.timezone), ticket.known_month) as known_month, -- first month whose windows may count it
    coalesce(protested.after_closing, false) or coalesce(protested.before_reopening, false) as is_deflected -- closed against the customer's word
from canonical.ticket as ticket
cross join setting.run as run
left join protested on protested.ticket_id = ticket.ticket_id
where ticket.solved_at is not null
    and ticket.account_id is not null
    and local_day(ticket.solved_at, run.timezone) <= run.as_of
