-- grain: table_name
-- From which month on each canonical table can be believed: before a source's first event a zero means nothing.
with event as (
    select 'activity' as table_name, min(month) as first_month from canonical.activity
    union all
    select 'ticket', min(month) from canonical.ticket
    union all
    select 'goal', cast(date_trunc('month', min(created_on)) as date) from canonical.goal
    union all
    select 'plan_action', min(month) from canonical.plan_action
    union all
    select 'relationship_event', min(month) from canonical.relationship_event
    union all
    select 'opportunity', cast(date_trunc('month', min(created_on)) as date) from canonical.opportunity
    union all
    select 'ticket_comment', min(month) from canonical.ticket_comment
    union all
    select 'invoice', min(month) from canonical.invoice
    union all
    select 'invoice_line', cast(date_trunc('month', min(period_start_on)) as date) from canonical.invoice_line
    union all
    select 'subscription', cast(date_trunc('month', min(started_on)) as date) from canonical.subscription
    union all
    select 'usage', cast(date_trunc('month', min(day)) as date) from canonical.usage_day
    union all
    select 'survey_response', min(month) from canonical.survey_response
    union all
    select 'cocreation_event', min(month) from canonical.cocreation_event
)
select
    table_name,         -- canonical table
    first_month         -- month of its first event; null when no source fills it
from event
