-- grain: invoice_id
-- Invoices and credit notes (net negative) that were really issued: drafts and voided ones are no claim.
-- What another currency than the project's is worth there is the rate of the day of issue.
with paid as (
    select
        payment.source_system,
        payment.invoice_source_id,
        sum(payment.amount) as amount,
        max(payment.paid_on) as paid_on
    from staged.payment as payment
    join staged.invoice as invoice
        on invoice.source_system = payment.source_system and invoice.source_id = payment.invoice_source_id
    where coalesce(payment.status, 'unknown') in ('succeeded', 'unknown')
        and not coalesce(payment.is_deleted, false)
        -- A hundred kroner do not pay a hundred euros.
        and coalesce(upper(payment.currency), upper(invoice.currency), '') = coalesce(upper(invoice.currency), upper(payment.currency), '')
    group by payment.source_system, payment.invoice_source_id
)
select
    invoice.source_system || ':' || invoice.source_id as invoice_id, -- system:id
    invoice.source_system,                                              -- the system
    invoice.source_account_id,                                          -- the customer's id there
    xref.account_id,                                                    -- the company; null when unmatched
    coalesce(invoice.kind, 'invoice') as kind,                          -- invoice or credit_note
    invoice.issued_on,                                                  -- day of issue
    cast(date_trunc('month', invoice.issued_on) as date) as month,      -- its month
    invoice.due_on,                                                     -- null when collected automatically
    coalesce(
        invoice.paid_on,
        -- Of part payments the last one settles it; half an øre is lost in rounding.
        case when paid.amount >= coalesce(invoice.gross, invoice.net + invoice.tax) - 0.005 then paid.paid_on end
    ) as paid_on,                                                       -- day of the last payment; null while open or not recorded
    coalesce(invoice.collection, 'unknown') as collection,              -- auto, sent, unknown
    coalesce(invoice.status, 'unknown') as status,                      -- open, paid, partial, written_off, unknown
    invoice.net,                                                        -- without tax, in its currency
    coalesce(invoice.gross, invoice.net + invoice.tax) as gross,        -- with tax, in its currency
    upper(invoice.currency) as currency,                                -- ISO 4217
    cast(
        invoice.net * case when upper(invoice.currency) = run.currency then 1 else fx.rate end as decimal(18, 4)
    ) as net_base,                                                      -- net in the project's currency
    cast(
        coalesce(invoice.gross, invoice.net + invoice.tax)
            * case when upper(invoice.currency) = run.currency then 1 else fx.rate end as decimal(18, 4)
    ) as gross_base,                                                    -- gross in the project's currency
    case
        when invoice.currency is null then 'currency_missing'
        when upper(invoice.currency) <> run.currency and fx.rate is null then 'fx_missing'
    end as fx_reason,                                                   -- why there are no amounts in the project's currency
    case
        when invoice.known_at = first.first_known_at then coalesce(invoice.created_at, cast(invoice.issued_on as timestamp))
        else invoice.known_at
    end as known_at                                                     -- when it became known, UTC
from staged.invoice as invoice
cross join setting.run as run
join canonical.first_landing as first on first.source_system = invoice.source_system
left join canonical.account_lookup as xref
    on xref.source_system = invoice.source_system and xref.source_account_id = invoice.source_account_id
left join canonical.fx_rate as fx
    on fx.from_currency = upper(invoice.currency)
    and invoice.issued_on >= fx.valid_from and invoice.issued_on < fx.valid_until
left join paid on paid.source_system = invoice.source_system and paid.invoice_source_id = invoice.source_id
where not coalesce(invoice.is_deleted, false)
    and coalesce(invoice.status, 'unknown') not in ('draft', 'void')
    and invoice.issued_on <= run.as_of
