-- grain: account_id, month
-- P4: customer-initiated share of the contacts that nobody was obliged to make.
with monthly as (
    select
        account_id,
        month,
        known_month,
        count(*) as contacts,
        count(case when initiated_by = 'customer' then 1 end) as by_customer
    from style.contact
    where not is_obligatory
    group by account_id, month, known_month
)
select
    style_window.account_id,                                                    -- the company
    style_window.month,                                                         -- last month of the window
    cast(coalesce(sum(monthly.by_customer), 0) as double) as numerator,         -- contacts that the customer started
    cast(coalesce(sum(monthly.contacts), 0) as double) as denominator,          -- contacts with a known initiator
    cast(coalesce(sum(monthly.contacts), 0) as bigint) as n,                    -- the evidence: contacts
    sum(monthly.by_customer) / nullif(sum(monthly.contacts), 0) as raw_value,   -- share
    cast(null as double) as raw_error                                           -- from the counts
from style.window as style_window
left join monthly
    on monthly.account_id = style_window.account_id
    and monthly.month >= style_window.window_start
    and monthly.known_month <= style_window.month
group by style_window.account_id, style_window.month
