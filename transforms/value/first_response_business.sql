-- grain: account_id, month
-- Median business minutes to our first answer, over the tickets created in the window that have one.
select
    account_id,                             -- the company
    month,                                  -- the month that the value stands for
    cast(null as double) as numerator,      -- none: a median
    cast(null as double) as denominator,    -- none: a median
    first_response_business_n as n,       -- the evidence: tickets
    first_response_business as raw_value, -- minutes
    first_response_business_error as raw_error -- standard error of ln(minutes + 1)
from value.ticket_median
where first_response_business_n > 0
