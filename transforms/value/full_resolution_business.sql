-- grain: account_id, month
-- Median business minutes to the resolution, over the tickets created in the window that have one.
select
    account_id,                             -- the company
    month,                                  -- the month that the value stands for
    cast(null as double) as numerator,      -- none: a median
    cast(null as double) as denominator,    -- none: a median
    full_resolution_business_n as n,      -- the evidence: tickets
    full_resolution_business as raw_value,-- minutes
    full_resolution_business_error as raw_error -- standard error of ln(minutes + 1)
from value.ticket_median
where full_resolution_business_n > 0
