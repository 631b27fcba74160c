-- grain: ticket_id
-- Support tickets with their company. An unmatched requester's ticket stays, with account_id null.
with survey as (
    -- Of several ratings of one ticket the last one holds.
    select ticket_id, max_by(score, (day, response_id)) as score
    from canonical.survey_response
    where instrument = 'csat' and score is not null and ticket_id is not null
    group by ticket_id
),
shipped as (
    select request_id, min(occurred_at) as shipped_at
    from staged.cocreation_event
    where kind = 'feature_shipped' and request_id is not null and not coalesce(is_deleted, false)
    group by request_id
)
select
    ticket.source_system || ':' || ticket.source_id as ticket_id,                   -- system:id
    ticket.source_system,                                                               -- the system
    ticket.source_account_id,                                                           -- the organisation's id there; null where none is named
    xref.account_id,                                                                    -- the company; null when unmatched
    coalesce(ticket.type, 'unknown') as type,                                           -- incident, question, feature_request, price_dispute, billing, task, unknown
    ticket.priority,                                                                    -- as the helpdesk says
    ticket.channel,                                                                     -- as the helpdesk says
    coalesce(ticket.status, 'unknown') as status,                                       -- open, pending, solved, closed, deleted, unknown
    ticket.created_at,                                                                  -- UTC
    local_day(ticket.created_at, run.timezone) as day,                                  -- day of creation in the project's zone
    local_month(ticket.created_at, run.timezone) as month,                              -- its month
    person_key(ticket.source_system, ticket.requester_source_id) as requester_id,       -- the asking person (person_id)
    person_key(ticket.source_system, ticket.assignee_source_id) as assignee_id,         -- our person
    coalesce(
        ticket.first_response_min,
        case when ticket.first_response_at >= ticket.created_at then epoch(ticket.first_response_at - ticket.created_at) / 60 end
    ) as first_response_min,                                                            -- calendar minutes to our first answer
    -- A helpdesk counts by the schedule that a ticket had last; where it had several, all of them count.
    coalesce(
        case when clock.schedules > 1 then clock.first_response_min end, ticket.first_response_business_min, clock.first_response_min
    ) as first_response_business_min,                                                   -- the same in business minutes
    ticket.solved_at,                                                                   -- UTC; null while unsolved
    coalesce(
        ticket.full_resolution_min,
        -- Solved before it was asked: a clock was wrong, and no duration is known.
        case when ticket.solved_at >= ticket.created_at then epoch(ticket.solved_at - ticket.created_at) / 60 end
    ) as full_resolution_min,                                                           -- calendar minutes to the resolution
    coalesce(
        case when clock.schedules > 1 then clock.full_resolution_min end, ticket.full_resolution_business_min, clock.full_resolution_min
    ) as full_resolution_business_min,                                                  -- the same in business minutes
    ticket.reopens,                                                                     -- times reopened; null = not recorded
    ticket.public_replies,                                                              -- our answers that the customer saw; null = not recorded
    ticket.effort_min,                                                                  -- minutes of work on it; null = not recorded
    coalesce(ticket.shipped_at, shipped.shipped_at) as shipped_at,                      -- when what it asked for was delivered, UTC
    coalesce(ticket.csat, survey.score) as csat,                                        -- rating 0-1; null = not rated
    case when survey.score is not null then 'rated' else ticket.csat_state end as csat_state, -- not_offered, offered, rated, unknown
    ticket.upheld,                                                                      -- a dispute that was our own error
    became_known(ticket.known_at, first.first_known_at, ticket.created_at) as known_at, -- when it became known, UTC
    greatest(
        local_month(ticket.created_at, run.timezone),
        local_month(became_known(ticket.known_at, first.first_known_at, ticket.created_at), run.timezone)
    ) as known_month                                                                    -- first month whose windows may count it
from staged.ticket as ticket
cross join setting.run as run
join canonical.first_landing as first on first.source_system = ticket.source_system
left join canonical.account_lookup as xref
    on xref.source_system = ticket.source_system and xref.source_account_id = ticket.source_account_id
left join canonical.ticket_clock as clock on clock.ticket_id = ticket.source_system || ':' || ticket.source_id
left join survey on survey.ticket_id = ticket.source_system || ':' || ticket.source_id
left join shipped on shipped.request_id = ticket.source_system || ':' || ticket.source_id
where not coalesce(ticket.is_deleted, false)
    and coalesce(ticket.status, 'unknown') <> 'deleted'
    and local_day(ticket.created_at, run.timezone) <= run.as_of
