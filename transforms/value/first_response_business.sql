-- grain: account_id, month
-- Median business minutes to our first answer; a ticket that still waits is longer than those that do not.
select
    account_id,                                     -- the company
    month,                                          -- the month that the value stands for
    cast(business_answered as double) as numerator, -- tickets answered by the window's end
    cast(business_answerable as double) as denominator, -- and those that still wait
    cast(business_answerable as bigint) as n,                        -- the evidence: tickets
    first_response_business as raw_value, -- minutes
    first_response_business_error as raw_error -- standard error of ln(minutes + 1)
from value.waiting
where business_answered > 0
