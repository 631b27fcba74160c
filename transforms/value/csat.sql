-- grain: account_id, month
-- Satisfaction as the helpdesk's own screen shows it: good ratings over ratings given.
select
    value_window.account_id,                                                        -- the company
    value_window.month,                                                             -- the month that the value stands for
    cast(sum(ticket_month.good) as double) as numerator,                            -- good ratings
    cast(sum(ticket_month.rated) as double) as denominator,                          -- ratings given
    cast(sum(ticket_month.rated) as bigint) as n,                                    -- the evidence: ratings
    sum(ticket_month.good) / nullif(sum(ticket_month.rated), 0) as raw_value,        -- share
    cast(null as double) as raw_error                                               -- from the counts
from value.window as value_window
join value.ticket_month as ticket_month
    on ticket_month.account_id = value_window.account_id
    and ticket_month.month between value_window.window_start and value_window.window_end
group by value_window.account_id, value_window.month
