-- grain: account_id, month
-- Kaplan-Meier median of calendar minutes to the resolution, over the tickets created in the window.
select
    account_id,                                     -- the company
    month,                                          -- the month that the value stands for
    cast(solved as double) as numerator, -- tickets solved by the window's end
    cast(solvable as double) as denominator, -- and those that still wait
    cast(solvable as bigint) as n,                        -- the evidence: tickets
    full_resolution as raw_value, -- minutes
    full_resolution_error as raw_error -- standard error of ln(minutes + 1)
from value.waiting
where solvable > 0
