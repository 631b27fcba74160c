-- grain: account_id, month
-- Share of solved tickets that took one answer of ours and were not reopened.
select
    value_window.account_id,                                                -- the company
    value_window.month,                                                     -- the month that the value stands for
    cast(sum(ticket_month.at_first_contact) as double) as numerator,                      -- tickets solved by the first answer
    cast(sum(ticket_month.replied) as double) as denominator,                    -- solved tickets with an answer
    cast(sum(ticket_month.replied) as bigint) as n,                              -- the evidence: solved tickets with an answer
    sum(ticket_month.at_first_contact) / nullif(sum(ticket_month.replied), 0) as raw_value,    -- share
    cast(null as double) as raw_error                                       -- from the counts
from value.window as value_window
join value.ticket_month as ticket_month
    on ticket_month.account_id = value_window.account_id
    and ticket_month.month between value_window.window_start and value_window.window_end
group by value_window.account_id, value_window.month
