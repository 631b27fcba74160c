-- grain: invoice_id
-- Invoices and credit notes (net negative) that were really issued: drafts and voided ones are no claim.
select
    invoice.source_system || ':' || invoice.source_id as invoice_id, -- system:id
    invoice.source_system,                                              -- the system
    xref.account_id,                                                    -- the company; null when unmatched
    coalesce(invoice.kind, 'invoice') as kind,                          -- invoice or credit_note
    invoice.issued_on,                                                  -- day of issue
    cast(date_trunc('month', invoice.issued_on) as date) as month,      -- its month
    invoice.due_on,                                                     -- null when collected automatically
    invoice.paid_on,                                                    -- null while open or not recorded
    coalesce(invoice.collection, 'unknown') as collection,              -- auto, sent, unknown
    coalesce(invoice.status, 'unknown') as status,                      -- open, paid, partial, written_off, unknown
    invoice.net,                                                        -- without tax, in its currency
    coalesce(invoice.gross, invoice.net + invoice.tax) as gross,        -- with tax, in its currency
    upper(invoice.currency) as currency,                                -- ISO 4217
    case
        when invoice.landed_at = first.first_landed_at then coalesce(invoice.created_at, cast(invoice.issued_on as timestamp))
        else invoice.landed_at
    end as known_at                                                     -- when it became known, UTC
from staged.invoice as invoice
cross join setting.run as run
join canonical.first_landing as first on first.source_system = invoice.source_system
left join canonical.account_xref as xref
    on xref.source_system = invoice.source_system and xref.source_account_id = invoice.source_account_id
where not coalesce(invoice.is_deleted, false)
    and coalesce(invoice.status, 'unknown') not in ('draft', 'void')
    and invoice.issued_on <= run.as_of
