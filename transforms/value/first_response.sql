-- grain: account_id, month
-- Kaplan-Meier median of calendar minutes to our first answer, over the tickets created in the window.
select
    account_id,                                     -- the company
    month,                                          -- the month that the value stands for
    cast(answered as double) as numerator, -- tickets answered by the window's end
    cast(tickets as double) as denominator, -- and those that still wait
    cast(tickets as bigint) as n,                        -- the evidence: tickets
    first_response as raw_value, -- minutes
    first_response_error as raw_error -- standard error of ln(minutes + 1)
from value.waiting
where tickets > 0
