-- grain: account_id, month
-- Amount-weighted days of payment after the due date. Open invoices count to the window's end, as they stood then.
-- Whether an invoice is disputed is not looked at: disputes are a matter of style. Amounts weigh as they are where all are
-- in one currency, else in the project's; without a rate for each there is no value then.
with due as (
    select
        value_window.account_id,
        value_window.month,
        invoice.gross,
        invoice.gross_base,
        coalesce(invoice.currency, '') as currency,
        greatest(
            least(coalesce(invoice.paid_on, last_day(value_window.window_end)), last_day(value_window.window_end)) - invoice.due_on, 0
        ) as days_late
    from value.window as value_window
    join canonical.invoice as invoice
        on invoice.account_id = value_window.account_id
        and invoice.due_on between value_window.window_start and last_day(value_window.window_end)
    where invoice.kind = 'invoice' and invoice.collection <> 'auto' and invoice.gross > 0
),
window_currency as (
    select account_id, month, count(distinct currency) = 1 as is_one from due group by account_id, month
),
weighed as (
    select
        due.account_id,
        due.month,
        case when window_currency.is_one then due.gross else due.gross_base end as amount,
        due.days_late
    from due
    join window_currency on window_currency.account_id = due.account_id and window_currency.month = due.month
)
select
    account_id,                                                                         -- the company
    month,                                                                              -- the month that the value stands for
    cast(sum(amount * days_late) as double) as numerator,                               -- amount times days late
    cast(sum(amount) as double) as denominator,                                         -- amount due
    count(*) as n,                                                                      -- the evidence: invoices due
    case
        when count(amount) = count(*) then cast(sum(amount * days_late) as double) / cast(sum(amount) as double)
    end as raw_value,                                                                   -- days; null where a rate is missing
    cast(null as double) as raw_error                                                   -- a sum over all invoices is no sample
from weighed
group by account_id, month
