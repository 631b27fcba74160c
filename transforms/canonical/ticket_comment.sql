-- grain: ticket_comment_id
-- Comments on tickets, without their text.
select
    comment.source_system || ':' || comment.source_id as ticket_comment_id,         -- system:id
    comment.source_system || ':' || comment.ticket_source_id as ticket_id,          -- the ticket
    person_key(comment.source_system, comment.author_source_id) as author_id,           -- the writing person (person_id)
    coalesce(nullif(comment.author_side, 'unknown'), person.side, 'unknown') as author_side, -- vendor, customer, bot, unknown
    comment.is_public,                                                                  -- seen by the customer
    comment.created_at,                                                                 -- UTC
    local_day(comment.created_at, run.timezone) as day,                                 -- day in the project's zone
    local_month(comment.created_at, run.timezone) as month,                             -- its month
    greatest(
        local_month(comment.created_at, run.timezone),
        local_month(became_known(comment.known_at, first.first_known_at, comment.created_at), run.timezone)
    ) as known_month                                                                    -- first month whose windows may count it
from staged.ticket_comment as comment
cross join setting.run as run
join canonical.first_landing as first on first.source_system = comment.source_system
left join canonical.person as person on person.person_id = person_key(comment.source_system, comment.author_source_id)
where local_day(comment.created_at, run.timezone) <= run.as_of
