-- grain: account_id, month
-- Net revenue retention over the 6 months that end with the month; 0 once the account has left.
select
    account_id,                                                     -- the company
    month,                                                          -- last month of the window
    cast(mrr as double) as numerator,                               -- closing mrr
    cast(opening_of_window as double) as denominator,               -- opening mrr
    cast(coalesce(opening_of_window > 0, false) or coalesce(last_paid_month < month, false) as bigint) as n, -- 1 when there was revenue to retain
    case
        when last_paid_month < month then 0
        else mrr / nullif(opening_of_window, 0)
    end as raw_value,                                               -- closing / opening
    cast(null as double) as raw_error                               -- a sum over all lines is no sample
from value.revenue
where has_paid
