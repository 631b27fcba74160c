-- grain: account_id, month
-- C2: disputes and credit requests that were not upheld as our own error, per 100 invoices.
with monthly as (
    select account_id, month, known_month, count(*) as disputes, 0 as invoices
    from style.dispute
    group by account_id, month, known_month
    union all
    select
        invoice.account_id,
        invoice.month,
        greatest(invoice.month, local_month(invoice.known_at, run.timezone)) as known_month,
        0,
        count(*)
    from canonical.invoice as invoice
    cross join setting.run as run
    where invoice.kind = 'invoice'
    group by invoice.account_id, invoice.month, greatest(invoice.month, local_month(invoice.known_at, run.timezone))
)
select
    style_window.account_id,                                                            -- the company
    style_window.month,                                                                 -- last month of the window
    cast(coalesce(sum(monthly.disputes), 0) as double) as numerator,                    -- disputes
    coalesce(sum(monthly.invoices), 0) / 100 as denominator,                            -- exposure in units of 100 invoices
    cast(coalesce(sum(monthly.invoices), 0) as bigint) as n,                            -- the evidence: invoices
    100 * sum(monthly.disputes) / nullif(sum(monthly.invoices), 0) as raw_value,        -- disputes per 100 invoices
    cast(null as double) as raw_error                                                   -- from the counts
from style.window as style_window
left join monthly
    on monthly.account_id = style_window.account_id
    and monthly.month >= style_window.window_start
    and monthly.known_month <= style_window.month
group by style_window.account_id, style_window.month
