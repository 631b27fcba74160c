-- grain: account_id, month
-- The value window of each account-month: 6 whole months that end with it; after churn the last 6 paid months, so that
-- an account that left keeps what it last received.
select
    account_month.account_id,                                       -- the company
    account_month.month,                                            -- the month that the value stands for
    least(account_month.month, coalesce(revenue.last_paid_month, account_month.month)) as window_end, -- last month of the window
    cast(
        least(account_month.month, coalesce(revenue.last_paid_month, account_month.month)) - to_months(5) as date
    ) as window_start,                                              -- first month of the window
    revenue.last_paid_month < account_month.month as is_churned     -- no revenue in the month, though there was some before
from canonical.account_month as account_month
left join value.revenue as revenue
    on revenue.account_id = account_month.account_id and revenue.month = account_month.month
