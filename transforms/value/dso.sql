-- grain: account_id, month
-- Days sales outstanding: what was unpaid at the window's end over what was invoiced in the window, in its days. Amounts
-- weigh as they are where all are in one currency, else in the project's. A written-off invoice is no claim any more, and
-- a credit note that nobody settled is none of the customer's.
with claim as (
    select
        account_id,
        issued_on,
        coalesce(paid_on, date '9999-12-31') as paid_on,
        gross,
        gross_base,
        coalesce(currency, '') as currency
    from canonical.invoice
    where account_id is not null and gross > 0 and kind = 'invoice' and status <> 'written_off'
),
in_window as (
    select
        value_window.account_id,
        value_window.month,
        min(claim.currency) = max(claim.currency) as is_one_currency,
        count(claim.gross_base) = count(*) as is_converted,
        count(case when claim.issued_on >= value_window.window_start then 1 end) as invoices,
        sum(case when claim.issued_on >= value_window.window_start then claim.gross end) as invoiced,
        sum(case when claim.issued_on >= value_window.window_start then claim.gross_base end) as invoiced_base,
        sum(case when claim.paid_on > last_day(value_window.window_end) then claim.gross else 0 end) as unpaid,
        sum(case when claim.paid_on > last_day(value_window.window_end) then claim.gross_base else 0 end) as unpaid_base,
        max(last_day(value_window.window_end) - value_window.window_start + 1) as days
    from value.window as value_window
    join claim
        on claim.account_id = value_window.account_id
        and claim.issued_on <= last_day(value_window.window_end)
        and claim.paid_on >= value_window.window_start
    group by value_window.account_id, value_window.month
)
select
    account_id,                                                     -- the company
    month,                                                          -- the month that the value stands for
    cast(days * case when is_one_currency then unpaid else unpaid_base end as double) as numerator, -- unpaid amount times days of the window
    cast(case when is_one_currency then invoiced else invoiced_base end as double) as denominator, -- amount invoiced
    cast(invoices as bigint) as n,                                  -- the evidence: invoices of the window
    case
        when is_one_currency and invoiced > 0 then cast(days * unpaid as double) / cast(invoiced as double)
        when is_converted and invoiced_base > 0 then cast(days * unpaid_base as double) / cast(invoiced_base as double)
    end as raw_value,                                               -- days; null where a rate is missing
    cast(null as double) as raw_error                               -- a sum over all invoices is no sample
from in_window
