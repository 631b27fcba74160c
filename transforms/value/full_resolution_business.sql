-- grain: account_id, month
-- Median business minutes to the resolution; a ticket that still waits is longer than those that do not.
select
    account_id,                                     -- the company
    month,                                          -- the month that the value stands for
    cast(business_solved as double) as numerator, -- tickets solved by the window's end
    cast(business_solvable as double) as denominator, -- and those that still wait
    cast(business_solvable as bigint) as n,                        -- the evidence: tickets
    full_resolution_business as raw_value, -- minutes
    full_resolution_business_error as raw_error -- standard error of ln(minutes + 1)
from value.waiting
where business_solved > 0
