-- grain: invoice_line_id
-- Lines of the invoices in canonical.invoice.
select
    line.source_system || ':' || line.source_id as invoice_line_id, -- system:id
    invoice.invoice_id,                                                 -- the invoice
    invoice.account_id,                                                 -- the company; null when unmatched
    coalesce(line.kind, 'unknown') as kind,                             -- recurring, one_off, usage, discount, credit, service, tax, rounding, unknown
    line.product,                                                       -- product or plan, where the source says so
    line.quantity,                                                      -- seats or pieces
    line.net,                                                           -- after discounts, without tax, in its currency
    line.discount_amount,                                               -- granted on this line
    line.period_start_on,                                               -- first day of service
    line.period_end_on,                                                 -- day after the last
    upper(coalesce(line.currency, invoice.currency)) as currency,       -- ISO 4217
    cast(
        line.net * case when upper(coalesce(line.currency, invoice.currency)) = run.currency then 1 else fx.rate end
        as decimal(18, 4)
    ) as net_base,                                                      -- net in the project's currency, by the invoice's day
    cast(
        line.discount_amount
            * case when upper(coalesce(line.currency, invoice.currency)) = run.currency then 1 else fx.rate end
        as decimal(18, 4)
    ) as discount_base,                                                 -- discount in the project's currency
    case
        when coalesce(line.currency, invoice.currency) is null then 'currency_missing'
        when upper(coalesce(line.currency, invoice.currency)) <> run.currency and fx.rate is null then 'fx_missing'
    end as fx_reason                                                    -- why there is no amount in the project's currency
from staged.invoice_line as line
cross join setting.run as run
join canonical.invoice as invoice
    on invoice.invoice_id = line.source_system || ':' || line.invoice_source_id
left join canonical.fx_rate as fx
    on fx.from_currency = upper(coalesce(line.currency, invoice.currency))
    and invoice.issued_on >= fx.valid_from and invoice.issued_on < fx.valid_until
where not coalesce(line.is_deleted, false)
