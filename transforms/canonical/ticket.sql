-- grain: ticket_id
-- Support tickets with their company. An unmatched requester's ticket stays, with account_id null.
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
    coalesce(
        ticket.first_response_business_min, clock.first_response_min
    ) as first_response_business_min,                                                   -- the same in business minutes
    ticket.solved_at,                                                                   -- UTC; null while unsolved
    coalesce(
        ticket.full_resolution_min,
        -- Solved before it was asked: a clock was wrong, and no duration is known.
        case when ticket.solved_at >= ticket.created_at then epoch(ticket.solved_at - ticket.created_at) / 60 end
    ) as full_resolution_min,                                                           -- calendar minutes to the resolution
    coalesce(
        ticket.full_resolution_business_min, clock.full_resolution_min
    ) as full_resolution_business_min,                                                  -- the same in business minutes
    ticket.reopens,                                                                     -- times reopened; null = not recorded
    ticket.csat,                                                                        -- rating 0-1; null = not rated
    ticket.csat_state,                                                                  -- not_offered, offered, rated, unknown
    ticket.upheld,                                                                      -- a dispute that was our own error
    case
        when ticket.known_at = first.first_known_at then ticket.created_at
        else ticket.known_at
    end as known_at                                                                     -- when it became known, UTC
from staged.ticket as ticket
cross join setting.run as run
join canonical.first_landing as first on first.source_system = ticket.source_system
left join canonical.account_lookup as xref
    on xref.source_system = ticket.source_system and xref.source_account_id = ticket.source_account_id
left join canonical.ticket_clock as clock on clock.ticket_id = ticket.source_system || ':' || ticket.source_id
where not coalesce(ticket.is_deleted, false)
    and coalesce(ticket.status, 'unknown') <> 'deleted'
    and local_day(ticket.created_at, run.timezone) <= run.as_of
