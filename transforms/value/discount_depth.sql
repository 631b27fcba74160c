-- grain: account_id, month
-- Granted discount over the price before discount, on recurring lines whose period starts in the window. Amounts in
-- several currencies are added in the project's; without a rate for each there is no value then.
with monthly as (
    select
        account_id,
        cast(date_trunc('month', period_start_on) as date) as month,
        coalesce(currency, '') as currency,
        sum(discount_amount) as discount,
        sum(net + discount_amount) as price,
        sum(discount_base) as discount_base,
        sum(net_base + discount_base) as price_base,
        count(case when fx_reason is not null then 1 end) as unconverted,
        count(*) as lines
    from canonical.invoice_line
    where kind = 'recurring' and account_id is not null and discount_amount is not null and net + discount_amount > 0
    group by account_id, cast(date_trunc('month', period_start_on) as date), coalesce(currency, '')
),
in_window as (
    select
        value_window.account_id,
        value_window.month,
        min(monthly.currency) = max(monthly.currency) as is_one_currency,
        sum(monthly.unconverted) = 0 as is_converted,
        sum(monthly.discount) as discount,
        sum(monthly.price) as price,
        sum(monthly.discount_base) as discount_base,
        sum(monthly.price_base) as price_base,
        cast(sum(monthly.lines) as bigint) as lines
    from value.window as value_window
    join monthly
        on monthly.account_id = value_window.account_id
        and monthly.month between value_window.window_start and value_window.window_end
    group by value_window.account_id, value_window.month
)
select
    account_id,                                                                         -- the company
    month,                                                                              -- the month that the value stands for
    cast(case when is_one_currency then discount else discount_base end as double) as numerator, -- discount granted
    cast(case when is_one_currency then price else price_base end as double) as denominator, -- price before discount
    lines as n,                                                                         -- the evidence: lines
    case
        when is_one_currency then cast(discount as double) / cast(price as double)
        when is_converted then cast(discount_base as double) / cast(price_base as double)
    end as raw_value,                                                                   -- share; null where a rate is missing
    cast(null as double) as raw_error                                                   -- a sum over all lines is no sample
from in_window
