-- grain: account_id, month
-- Chance that a request for a feature is shipped within 180 days, by Kaplan and Meier: a request that is younger, or still
-- waits, is censored. Over the requests of the 12 months up to the window's end, with Greenwood's standard error.
with request as (
    select distinct ticket.ticket_id, ticket.account_id, ticket.day, ticket.month, cast(ticket.shipped_at as date) as shipped_on
    from canonical.ticket as ticket
    left join canonical.signal as signal
        on signal.entity = 'ticket' and signal.entity_id = ticket.ticket_id and signal.class = 'feature_request'
    where ticket.account_id is not null and (signal.entity_id is not null or ticket.type = 'feature_request')
),
waited as (
    select
        value_window.account_id,
        value_window.month,
        coalesce(request.shipped_on <= last_day(value_window.window_end), false) as is_shipped,
        greatest(least(coalesce(request.shipped_on, last_day(value_window.window_end)), last_day(value_window.window_end)) - request.day, 0) as days
    from value.window as value_window
    join request
        on request.account_id = value_window.account_id
        and request.month between cast(value_window.window_end - to_months(11) as date) and value_window.window_end
),
event as (
    select account_id, month, days, count(case when is_shipped then 1 end) as shipped, count(*) as leaving
    from waited
    group by account_id, month, days
),
at_risk as (
    select
        account_id,
        month,
        days,
        shipped,
        leaving,
        sum(leaving) over (
            partition by account_id, month order by days rows between current row and unbounded following
        ) as requests
    from event
),
product_limit as (
    select
        account_id,
        month,
        sum(leaving) as requests,
        sum(case when days <= 180 then shipped else 0 end) as shipped,
        bool_or(days <= 180 and shipped = requests) as is_all,
        max(days) as observed,
        sum(exact(case when days <= 180 and shipped > 0 and shipped < requests then ln(1 - shipped / requests) else 0 end)) as log_survival,
        sum(exact(case when days <= 180 and shipped > 0 and shipped < requests then shipped / (requests * (requests - shipped)) else 0 end)) as greenwood
    from at_risk
    group by account_id, month
)
select
    account_id,                                                     -- the company
    month,                                                          -- the month that the value stands for
    cast(shipped as double) as numerator,                           -- requests shipped within 180 days so far
    cast(requests as double) as denominator,                        -- requests
    cast(requests as bigint) as n,                                  -- the evidence: requests
    case
        when is_all then 1
        -- None was watched for 180 days: the chance is not known yet.
        when observed >= 180 then 1 - exp(cast(log_survival as double))
    end as raw_value,                                               -- chance, 0-1
    case when is_all then 0 else exp(cast(log_survival as double)) * sqrt(cast(greenwood as double)) end as raw_error -- Greenwood's standard error
from product_limit
