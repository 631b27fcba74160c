-- The invoices due in the value window.
select
    'invoice' as kind,
    invoice.invoice_id as id,
    invoice.due_on as day,
    greatest(
        least(coalesce(invoice.paid_on, last_day(value_window.window_end)), last_day(value_window.window_end)) - invoice.due_on, 0
    ) as number,
    concat('days late, of ', invoice.gross, ' ', invoice.currency) as what
from canonical.invoice as invoice
join value.window as value_window
    on value_window.account_id = invoice.account_id
    and value_window.month = $month
    and invoice.due_on between value_window.window_start and last_day(value_window.window_end)
where invoice.account_id = $account_id
    and invoice.kind = 'invoice' and invoice.collection <> 'auto' and invoice.gross > 0
