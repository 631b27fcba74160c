-- grain: account_id, month
-- The style window of each account-month: the 12 whole months that end with it, as far as the account was a customer.
select
    account_id,                                                                 -- the company
    month,                                                                      -- the last month of the window
    greatest(customer_month, cast(month - to_months(11) as date)) as window_start, -- first day that counts
    months_between(greatest(customer_month, cast(month - to_months(11) as date)), month) + 1 as active_months, -- months in it
    cast(last_day(month) as date) - greatest(customer_month, cast(month - to_months(11) as date)) + 1 as days -- days in it
from canonical.account_month
