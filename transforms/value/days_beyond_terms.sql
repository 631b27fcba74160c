-- grain: account_id, month
-- Amount-weighted days of payment after the due date. Open invoices count to the window's end, as they stood then.
-- Whether an invoice is disputed is not looked at: disputes are a matter of style.
with due as (
    select
        value_window.account_id,
        value_window.month,
        invoice.gross,
        greatest(
            least(coalesce(invoice.paid_on, last_day(value_window.window_end)), last_day(value_window.window_end)) - invoice.due_on, 0
        ) as days_late
    from value.window as value_window
    join canonical.invoice as invoice
        on invoice.account_id = value_window.account_id
        and invoice.due_on between value_window.window_start and last_day(value_window.window_end)
    where invoice.kind = 'invoice' and invoice.collection <> 'auto' and invoice.gross > 0
)
select
    account_id,                                                                         -- the company
    month,                                                                              -- the month that the value stands for
    cast(sum(gross * days_late) as double) as numerator,                                -- amount times days late
    cast(sum(gross) as double) as denominator,                                          -- amount due
    count(*) as n,                                                                      -- the evidence: invoices due
    cast(sum(gross * days_late) as double) / cast(sum(gross) as double) as raw_value,   -- days
    cast(null as double) as raw_error                                                   -- a sum over all invoices is no sample
from due
group by account_id, month
