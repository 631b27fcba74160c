-- grain: invoice_line_id
-- Lines of the invoices in canonical.invoice.
select
    line.source_system || ':' || line.source_id as invoice_line_id, -- system:id
    invoice.invoice_id,                                                 -- the invoice
    invoice.account_id,                                                 -- the company; null when unmatched
    coalesce(line.kind, 'unknown') as kind,                             -- recurring, one_off, usage, discount, credit, service, tax, rounding, unknown
    line.quantity,                                                      -- seats or pieces
    line.net,                                                           -- after discounts, without tax, in its currency
    line.discount_amount,                                               -- granted on this line
    line.period_start_on,                                               -- first day of service
    line.period_end_on,                                                 -- day after the last
    upper(coalesce(line.currency, invoice.currency)) as currency        -- ISO 4217
from staged.invoice_line as line
join canonical.invoice as invoice
    on invoice.invoice_id = line.source_system || ':' || line.invoice_source_id
