-- grain: account_id, month
-- C3: share of the renewals before which the customer asked others by a tender, an RFP or a benchmark.
with monthly as (
    select
        account_id,
        month,
        known_month,
        count(*) as renewals,
        count(case when is_tendered then 1 end) as tendered
    from style.renewal
    where not is_exempt
    group by account_id, month, known_month
)
select
    style_window.account_id,                                                    -- the company
    style_window.month,                                                         -- last month of the window
    cast(coalesce(sum(monthly.tendered), 0) as double) as numerator,            -- renewals with a tender
    cast(coalesce(sum(monthly.renewals), 0) as double) as denominator,          -- renewals
    cast(coalesce(sum(monthly.renewals), 0) as bigint) as n,                    -- the evidence: renewals
    sum(monthly.tendered) / nullif(sum(monthly.renewals), 0) as raw_value,      -- share
    cast(null as double) as raw_error                                           -- from the counts
from style.window as style_window
left join monthly
    on monthly.account_id = style_window.account_id
    and monthly.month >= style_window.window_start
    and monthly.known_month <= style_window.month
group by style_window.account_id, style_window.month
