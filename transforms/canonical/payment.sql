-- grain: payment_id
-- Money that arrived, or failed to.
select
    payment.source_system || ':' || payment.source_id as payment_id,    -- system:id
    xref.account_id,                                                    -- the company; null when unmatched
    payment.source_system || ':' || payment.invoice_source_id as invoice_id, -- the invoice that it pays, where it says so
    payment.paid_on,                                                    -- day of payment
    payment.amount,                                                     -- in its currency
    upper(payment.currency) as currency,                                -- ISO 4217
    coalesce(payment.status, 'unknown') as status                       -- succeeded, failed, refunded, unknown
from staged.payment as payment
cross join setting.run as run
left join canonical.account_lookup as xref
    on xref.source_system = payment.source_system and xref.source_account_id = payment.source_account_id
where not coalesce(payment.is_deleted, false) and payment.paid_on <= run.as_of
