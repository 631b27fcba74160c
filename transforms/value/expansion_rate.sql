-- grain: account_id, month
-- Growth of recurring revenue by volume over the 6 months that end with the month; a change of price is left out.
select
    account_id,                                                     -- the company
    month,                                                          -- last month of the window
    case when closing is not null then greatest(closing - opening - price_change, 0) end as numerator, -- growth by volume; 0 where it shrank
    opening as denominator,                                         -- opening mrr
    cast(coalesce(opening > 0, false) as bigint) as n,              -- 1 when there was revenue to begin with
    case when closing is not null then greatest(closing - opening - price_change, 0) / nullif(opening, 0) end as raw_value, -- over the opening mrr
    cast(null as double) as raw_error                               -- a sum over all lines is no sample
from value.price_step
