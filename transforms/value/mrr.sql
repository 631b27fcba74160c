-- grain: account_id, month
-- Recurring revenue of the month as a measure.
select
    account_id,                                     -- the company
    month,                                          -- the month
    cast(mrr as double) as numerator,               -- mrr
    cast(null as double) as denominator,            -- none: an amount
    cast(mrr is not null as bigint) as n,           -- the evidence: 1 when known
    cast(mrr as double) as raw_value,               -- mrr
    cast(null as double) as raw_error               -- a sum over all lines is no sample
from value.revenue
where has_paid
