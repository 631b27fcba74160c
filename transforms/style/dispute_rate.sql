-- grain: account_id, month
-- C2: disputes and credit requests that were not upheld as our own error, per 100 invoices.
with dispute as (
    select distinct ticket.ticket_id, ticket.account_id, ticket.month
    from canonical.ticket as ticket
    left join canonical.signal as signal
        on signal.entity = 'ticket' and signal.entity_id = ticket.ticket_id and signal.class = 'dispute'
    where (signal.entity_id is not null or ticket.type = 'price_dispute') and not coalesce(ticket.upheld, false)
),
monthly as (
    select account_id, month, count(*) as disputes, 0 as invoices from dispute group by account_id, month
    union all
    select account_id, month, 0, count(*) from canonical.invoice where kind = 'invoice' group by account_id, month
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
    and monthly.month between style_window.window_start and style_window.month
group by style_window.account_id, style_window.month
