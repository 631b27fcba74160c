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
        ]) as instant
    from staged.ticket as ticket
    join setting.system as system on system.system = ticket.source_system
    where ticket.first_response_business_min is null or ticket.full_resolution_business_min is null
),
open_before as (
    select
        moment.ticket_id,
        moment.what,
        moment.instant,
        max(day.minutes_before) + sum(
            coalesce(greatest(epoch(least(moment.instant, span.closes_at) - span.opens_at), 0), 0)
        ) / 60 as minutes
    from moment
    join setting.calendar as calendar on calendar.calendar = moment.calendar
    join setting.business_day as day
        on day.calendar = moment.calendar and day.day = local_day(moment.instant, calendar.timezone)
    left join setting.business_span as span on span.calendar = moment.calendar and span.day = day.day
    where moment.instant is not null
    group by moment.ticket_id, moment.what, moment.instant
),
ticket_minutes as (
    select
        ticket_id,
        max(case when what = 'created' then minutes end) as created,
        max(case when what = 'answered' then minutes end) as answered,
        max(case when what = 'solved' then minutes end) as solved,
        max(case when what = 'created' then instant end) as created_at,
        max(case when what = 'answered' then instant end) as answered_at,
        max(case when what = 'solved' then instant end) as solved_at
    from open_before
    group by ticket_id
)
select
    ticket_id,                                                                          -- the ticket
    case when answered_at >= created_at then answered - created end as first_response_min, -- business minutes to our first answer
    case when solved_at >= created_at then solved - created end as full_resolution_min  -- business minutes to the resolution
from ticket_minutes
