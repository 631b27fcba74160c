-- grain: response_id
-- Answers to surveys, one score each.
select
    response.source_system || ':' || response.source_id as response_id, -- system:id
    xref.account_id,                                                    -- the company; null when unmatched
    response.source_system || ':' || response.ticket_source_id as ticket_id, -- the ticket that it is about
    person_key(response.source_system, response.person_source_id) as person_id, -- the answering person (person_id)
    response.instrument,                                                -- csat, nps, ces
    response.score,                                                     -- csat and ces 0-1, nps 0-10
    local_day(response.answered_at, run.timezone) as day,               -- day in the project's zone
    local_month(response.answered_at, run.timezone) as month            -- its month
from staged.survey_response as response
cross join setting.run as run
left join staged.ticket as ticket
    on ticket.source_system = response.source_system and ticket.source_id = response.ticket_source_id
left join canonical.account_lookup as xref
    on xref.source_system = response.source_system
    and xref.source_account_id = coalesce(response.source_account_id, ticket.source_account_id)
where not coalesce(response.is_deleted, false) and local_day(response.answered_at, run.timezone) <= run.as_of
