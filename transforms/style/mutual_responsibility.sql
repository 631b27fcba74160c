-- grain: account_id, month
-- P2: do both own actions of the plan, and do both keep their word? 2 * sqrt(p * (1 - p)) is 1 when each side owns half
-- and 0 when one owns all; times the geometric mean of the shares done on time.
with monthly as (
    select
        account_id,
        month,
        known_month,
        count(case when owner_side = 'customer' then 1 end) as customers,
        count(case when owner_side = 'vendor' then 1 end) as vendors,
        count(case when owner_side = 'customer' and is_on_time then 1 end) as customers_kept,
        count(case when owner_side = 'vendor' and is_on_time then 1 end) as vendors_kept
    from style.commitment
    -- Of an action whose day nobody knows neither part of the formula can be told.
    where is_on_time is not null
    group by account_id, month, known_month
),
summed as (
    select
        style_window.account_id,
        style_window.month,
        coalesce(sum(monthly.customers), 0) as customers,
        coalesce(sum(monthly.vendors), 0) as vendors,
        coalesce(sum(monthly.customers_kept), 0) as customers_kept,
        coalesce(sum(monthly.vendors_kept), 0) as vendors_kept
    from style.window as style_window
    left join monthly
        on monthly.account_id = style_window.account_id
        and monthly.month >= style_window.window_start
        and monthly.known_month <= style_window.month
    group by style_window.account_id, style_window.month
),
shared as (
    select
        account_id,
        month,
        customers,
        vendors,
        customers / nullif(customers + vendors, 0) as p,
        customers_kept / nullif(customers, 0) as a,
        vendors_kept / nullif(vendors, 0) as b,
        -- With half an action added, so that all kept of two is no certainty.
        (customers_kept + 0.5) / (customers + 1) as smooth_a,
        (vendors_kept + 0.5) / (vendors + 1) as smooth_b
    from summed
)
select
    account_id,                                                             -- the company
    month,                                                                  -- last month of the window
    cast(customers as double) as numerator,                                 -- actions that the customer owned
    cast(customers + vendors as double) as denominator,                     -- actions that came due, of either side
    cast(case when customers >= 2 and vendors >= 2 then customers + vendors else 0 end as bigint) as n, -- the evidence: actions, 0 under 2 a side
    2 * sqrt(p * (1 - p)) * sqrt(a * b) as raw_value,                       -- 0-1
    -- Delta method; square roots of shares have variance (1 - share) / 4n, that of 2 * sqrt(p * (1 - p)) is (1 - 2p)^2 / n.
    sqrt(
        smooth_a * smooth_b * power(1 - 2 * p, 2) / nullif(customers + vendors, 0)
            + p * (1 - p) * smooth_b * (1 - smooth_a) / nullif(customers, 0)
            + p * (1 - p) * smooth_a * (1 - smooth_b) / nullif(vendors, 0)
    ) as raw_error                                                          -- standard error
from shared
