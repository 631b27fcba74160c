-- grain: ticket_id
-- Business minutes of tickets whose helpdesk gives only times, by the calendar of the ticket or its system ([calendars]):
-- the minutes that had been open at the end, less those at the beginning. A ticket that went from one calendar to another
-- (`history` of its field `calendar`) counts by each while it had it, also where the helpdesk counts itself: vendors
-- count the whole time by the last one (fivetran/dbt_zendesk, DECISIONLOG, "Business Time Metrics").
with ticket as (
    select
        ticket.source_system || ':' || ticket.source_id as ticket_id,
        ticket.calendar as own_calendar,
        system.calendar as system_calendar,
        ticket.created_at,
        coalesce(
            ticket.first_response_at,
            ticket.created_at + to_seconds(cast(round(ticket.first_response_min * 60) as bigint))
        ) as answered_at,
        ticket.solved_at,
        ticket.first_response_business_min is null or ticket.full_resolution_business_min is null as lacks_minutes
    from staged.ticket as ticket
    join setting.system as system on system.system = ticket.source_system
),
turn as (
    select
        history.source_system || ':' || history.entity_source_id as ticket_id,
        history.new as calendar,
        history.old as calendar_before,
        history.changed_at as begins_at,
        coalesce(
            lead(history.changed_at) over (
                partition by history.source_system, history.entity_source_id order by history.changed_at, history.source_id
            ),
            timestamp '9999-12-31'
        ) as ends_at,
        row_number() over (
            partition by history.source_system, history.entity_source_id order by history.changed_at, history.source_id
        ) as place
    from staged.history as history
    -- Some systems tell a change twice, by the name and by the id: only what is a name of [calendars] counts.
    join setting.calendar as calendar on calendar.calendar = history.new
    where history.entity = 'ticket'
        and lower(history.field) in ('calendar', 'schedule', 'businesshours', 'business hours')
        and history.changed_at is not null
        and not coalesce(history.is_deleted, false)
),
stretch as (
    select
        ticket.ticket_id,
        0 as place,
        case
            when turn.ticket_id is null then coalesce(ticket.own_calendar, ticket.system_calendar)
            -- What the ticket has today is where its last change led.
            else coalesce(turn.calendar_before, ticket.system_calendar, ticket.own_calendar)
        end as calendar,
        ticket.created_at as begins_at,
        coalesce(turn.begins_at, timestamp '9999-12-31') as ends_at,
        ticket.created_at,
        ticket.answered_at,
        ticket.solved_at
    from ticket
    left join turn on turn.ticket_id = ticket.ticket_id and turn.place = 1
    where ticket.lacks_minutes or turn.ticket_id is not null
    union all
    select
        ticket.ticket_id,
        turn.place,
        turn.calendar,
        greatest(turn.begins_at, ticket.created_at),
        turn.ends_at,
        ticket.created_at,
        ticket.answered_at,
        ticket.solved_at
    from turn
    join ticket on ticket.ticket_id = turn.ticket_id
),
moment as (
    select
        ticket_id,
        place,
        calendar,
        unnest(['begin', 'answered', 'solved']) as what,
        unnest([
            begins_at,
            case when answered_at >= created_at then greatest(begins_at, least(ends_at, answered_at)) end,
            case when solved_at >= created_at then greatest(begins_at, least(ends_at, solved_at)) end
        ]) as instant
    from stretch
    where begins_at < ends_at
),
open_before as (
    select
        moment.ticket_id,
        moment.place,
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
    group by moment.ticket_id, moment.place, moment.what, moment.instant
),
stretch_minutes as (
    select
        ticket_id,
        place,
        max(case when what = 'begin' then minutes end) as at_begin,
        max(case when what = 'answered' then minutes end) as at_answer,
        max(case when what = 'solved' then minutes end) as at_solution
    from open_before
    group by ticket_id, place
),
needed as (
    select ticket_id, count(*) as stretches from stretch where begins_at < ends_at group by ticket_id
)
select
    stretch_minutes.ticket_id,                                                          -- the ticket
    cast(sum(exact(stretch_minutes.at_answer - stretch_minutes.at_begin)) as double) as first_response_min, -- business minutes to our first answer
    cast(sum(exact(stretch_minutes.at_solution - stretch_minutes.at_begin)) as double) as full_resolution_min, -- business minutes to the resolution
    max(needed.stretches) as schedules                                                  -- calendars that it had, one after another
from stretch_minutes
join needed on needed.ticket_id = stretch_minutes.ticket_id
group by stretch_minutes.ticket_id
-- Hours of a time whose calendar is not known are not counted as none.
having count(*) = max(needed.stretches)
