-- grain: account_id, month
-- Granted discount over the price before discount, on recurring lines whose period starts in the window.
with monthly as (
    select
        account_id,
        cast(date_trunc('month', period_start_on) as date) as month,
        sum(discount_amount) as discount,
        sum(net + discount_amount) as price,
        count(*) as lines
    from canonical.invoice_line
    where kind = 'recurring' and account_id is not null and discount_amount is not null and net + discount_amount > 0
    group by account_id, cast(date_trunc('month', period_start_on) as date)
)
select
    value_window.account_id,                                                            -- the company
    value_window.month,                                                                 -- the month that the value stands for
    cast(sum(monthly.discount) as double) as numerator,                                 -- discount granted
    cast(sum(monthly.price) as double) as denominator,                                  -- price before discount
    cast(sum(monthly.lines) as bigint) as n,                                            -- the evidence: lines
    cast(sum(monthly.discount) as double) / cast(sum(monthly.price) as double) as raw_value, -- share
    cast(null as double) as raw_error                                                   -- a sum over all lines is no sample
from value.window as value_window
join monthly
    on monthly.account_id = value_window.account_id
    and monthly.month between value_window.window_start and value_window.window_end
group by value_window.account_id, value_window.month
