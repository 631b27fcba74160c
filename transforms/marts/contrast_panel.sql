-- grain: account_id, period
-- How each company was treated and what both got, by half-years that do not overlap: 0 is the value window of the
-- contrast, -1 the six months before it. Style is that of the 12 months before the half-year. Published so that anybody
-- can compute the effects of switching again.
with period as (
    select
        -cast(number as integer) as period,
        cast(run.last_month - to_months(6 * cast(number as integer)) as date) as last_month
    from range(0, 40) as step (number)
    cross join setting.run as run
)
select
    gained.account_id,                                                      -- the company
    period.period,                                                          -- half-years before the value window of the contrast: 0, -1, -2, ...
    cast(period.last_month - to_months(5) as date) as first_month,          -- first month of the half-year
    behaved.partnership,                                                    -- 0-1, over the 12 months before the half-year; null: unknown
    behaved.style,                                                          -- the cell then
    gained.mutual_value,                                                    -- 0-1, over the half-year
    gained.supplier_value,                                                  -- 0-1, over the half-year
    gained.customer_value                                                   -- 0-1, over the half-year
from period
join mart.relationship_month as gained on gained.month = period.last_month
left join mart.relationship_month as behaved
    on behaved.account_id = gained.account_id and behaved.month = cast(period.last_month - to_months(6) as date)
