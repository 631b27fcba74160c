-- grain: table_name
-- From which month on each canonical table can be believed: before a source's first event a zero means nothing.
with event as (
    select 'activity' as table_name, min(month) as first_month from canonical.activity
    union all
    select 'ticket', min(month) from canonical.ticket
    union all
    select 'goal', cast(date_trunc('month', min(created_on)) as date) from canonical.goal
    union all
    select 'invoice', min(month) from canonical.invoice
    union all
    select 'invoice_line', cast(date_trunc('month', min(period_start_on)) as date) from canonical.invoice_line
    union all
    select 'subscription', cast(date_trunc('month', min(started_on)) as date) from canonical.subscription
)
select
    table_name,         -- canonical table
    first_month         -- month of its first event; null when no source fills it
from event
