-- grain: account_id, month
-- Change of recurring revenue by price alone over the 6 months that end with the month, at the seats of its end.
select
    account_id,                                                     -- the company
    month,                                                          -- last month of the window
    price_change as numerator, -- change by price
    opening as denominator,                                         -- opening mrr
    cast(coalesce(opening > 0, false) as bigint) as n,              -- 1 when there was revenue to begin with
    price_change / nullif(opening, 0) as raw_value, -- over the opening mrr
    cast(null as double) as raw_error                               -- a sum over all lines is no sample
from value.price_step
