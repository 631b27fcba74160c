-- grain: account_id, month
-- How many of those who were asked for a rating gave one: how much satisfaction may be trusted.
select
    value_window.account_id,                                                -- the company
    value_window.month,                                                     -- the month that the value stands for
    cast(sum(ticket_month.rated) as double) as numerator,                      -- ratings given
    cast(sum(ticket_month.offered) as double) as denominator,                    -- ratings asked for
    cast(sum(ticket_month.offered) as bigint) as n,                              -- the evidence: ratings asked for
    sum(ticket_month.rated) / nullif(sum(ticket_month.offered), 0) as raw_value,    -- share
    cast(null as double) as raw_error                                       -- from the counts
from value.window as value_window
join value.ticket_month as ticket_month
    on ticket_month.account_id = value_window.account_id
    and ticket_month.month between value_window.window_start and value_window.window_end
group by value_window.account_id, value_window.month
