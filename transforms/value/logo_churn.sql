-- grain: account_id, month
-- Whether a paying customer left in the 6 months that end with the month. Sums of numerator and denominator over accounts
-- are the portfolio's rate.
select
    account_id,                                                     -- the company
    month,                                                          -- last month of the window
    cast(case when opening_of_window > 0 then last_paid_month < month end as double) as numerator, -- 1 when it left
    cast(case when opening_of_window > 0 then 1 end as double) as denominator, -- 1 when it paid at the opening
    cast(coalesce(opening_of_window > 0, false) as bigint) as n,    -- 1 when there was a customer to lose
    cast(case when opening_of_window > 0 then last_paid_month < month end as double) as raw_value, -- 0 or 1
    cast(null as double) as raw_error                               -- a fact is no sample
from value.revenue
where has_paid
