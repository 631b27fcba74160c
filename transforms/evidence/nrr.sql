-- Recurring revenue at the opening of the window and in each month since.
select
    'month' as kind,
    cast(revenue.month as varchar) as id,
    revenue.month as day,
    revenue.mrr as number,
    'recurring revenue of the month' as what
from value.revenue as revenue
where revenue.account_id = $account_id and revenue.month between cast($month - to_months(6) as date) and $month
