-- grain: ticket_id
-- Business minutes of tickets whose helpdesk gives only times, by the calendar of the ticket or its system ([calendars]):
-- the minutes that had been open at the end, less those at the beginning.
with moment as (
    select
        ticket.source_system || ':' || ticket.source_id as ticket_id,
        coalesce(ticket.calendar, system.calendar) as calendar,
        unnest(['created', 'answered', 'solved']) as what,
        unnest([
            ticket.created_at,
            coalesce(
                ticket.first_response_at,
                ticket.created_at + to_seconds(cast(round(ticket.first_response_min * 60) as bigint))
            ),
            ticket.solved_at
        ]) as at
    from staged.ticket as ticket
    join setting.system as system on system.system = ticket.source_system
    where ticket.first_response_business_min is null or ticket.full_resolution_business_min is null
),
open_before as (
    select
        moment.ticket_id,
        moment.what,
        max(day.minutes_before) + sum(
            coalesce(greatest(epoch(least(moment.at, span.closes_at) - span.opens_at), 0), 0)
        ) / 60 as minutes
    from moment
    join setting.calendar as calendar on calendar.calendar = moment.calendar
    join setting.business_day as day
        on day.calendar = moment.calendar and day.day = local_day(moment.at, calendar.timezone)
    left join setting.business_span as span on span.calendar = moment.calendar and span.day = day.day
    where moment.at is not null
    group by moment.ticket_id, moment.what
),
ticket_minutes as (
    select
        ticket_id,
        max(case when what = 'created' then minutes end) as created,
        max(case when what = 'answered' then minutes end) as answered,
        max(case when what = 'solved' then minutes end) as solved
    from open_before
    group by ticket_id
)
select
    ticket_id,                                                                          -- the ticket
    case when answered >= created then answered - created end as first_response_min,    -- business minutes to our first answer
    case when solved >= created then solved - created end as full_resolution_min        -- business minutes to the resolution
from ticket_minutes
