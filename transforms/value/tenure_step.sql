-- grain: month, segment, tenure
-- How many customers came to their n-th renewal by the end of the month, and how many left at it: what the model of
-- lifetimes is fitted to (value.lifetime). A customer older than the data counts from where the data find it. An account
-- that came back never left. Segments of 30 customers or more, and the portfolio (`*`).
with paying as (
    select
        revenue.account_id,
        coalesce(nullif(account.segment, ''), 'none') as segment,
        revenue.month,
        months_between(account_month.customer_month, revenue.month) as tenure,
        revenue.last_paid_month < revenue.month as has_left
    from value.revenue as revenue
    join canonical.account as account on account.account_id = revenue.account_id
    join canonical.account_month as account_month
        on account_month.account_id = revenue.account_id and account_month.month = revenue.month
    where revenue.has_paid
        -- The month after the last paid one is the one in which it left.
        and revenue.last_paid_month >= cast(revenue.month - to_months(1) as date)
        and account_month.customer_month < revenue.month
),
big as (
    select segment from paying group by segment having count(distinct account_id) >= 30
),
counted as (
    select month, segment, tenure, has_left from paying where segment in (select segment from big)
    union all
    select month, '*', tenure, has_left from paying
)
select
    month,                                                  -- the month
    segment,                                                -- a segment, or * for the portfolio
    tenure,                                                 -- months as a customer
    count(case when not has_left then 1 end) as kept,       -- customers that stayed
    count(case when has_left then 1 end) as lost            -- customers that left
from counted
group by month, segment, tenure
