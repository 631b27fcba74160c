-- grain: account_id, month
-- Gross revenue retention over the 6 months that end with the month: expansion does not count.
select
    account_id,                                                     -- the company
    month,                                                          -- last month of the window
    cast(least(mrr, opening_of_window) as double) as numerator,     -- closing mrr, no more than the opening
    cast(opening_of_window as double) as denominator,               -- opening mrr
    cast(coalesce(opening_of_window > 0, false) or coalesce(last_paid_month < month, false) as bigint) as n, -- 1 when there was revenue to retain
    case
        when last_paid_month < month then 0
        else least(mrr, opening_of_window) / nullif(opening_of_window, 0)
    end as raw_value,                                               -- min(closing, opening) / opening
    cast(null as double) as raw_error                               -- a sum over all lines is no sample
from value.revenue
where has_paid
