-- grain: account_id, month
-- C1: discount or concession requests by the customer per 90 days. Requests, whether granted or not; what was granted
-- is a matter of value.
with request as (
    select activity.account_id, activity.month, coalesce(activity.thread_id, activity.activity_id) as thread_key
    from canonical.signal as signal
    join canonical.activity as activity on activity.activity_id = signal.entity_id
    where signal.entity = 'activity' and signal.class = 'discount_request' and activity.initiated_by = 'customer'
    union
    select ticket.account_id, ticket.month, ticket.ticket_id
    from canonical.signal as signal
    join canonical.ticket as ticket on ticket.ticket_id = signal.entity_id
    where signal.entity = 'ticket' and signal.class = 'discount_request'
),
monthly as (
    select account_id, month, count(distinct thread_key) as requests from request group by account_id, month
)
select
    style_window.account_id,                                                        -- the company
    style_window.month,                                                             -- last month of the window
    cast(coalesce(sum(monthly.requests), 0) as double) as numerator,                -- requests
    style_window.days / 90 as denominator,                                          -- exposure in units of 90 days
    style_window.days as n,                                                         -- the evidence: days
    coalesce(sum(monthly.requests), 0) / (style_window.days / 90) as raw_value,     -- requests per 90 days
    cast(null as double) as raw_error                                               -- from the counts
from style.window as style_window
left join monthly
    on monthly.account_id = style_window.account_id
    and monthly.month between style_window.window_start and style_window.month
group by style_window.account_id, style_window.month, style_window.days
