-- grain: account_id, month
-- How recurring revenue moved from month to month, one account at a time: opening + new + reactivated + expanded +
-- contracted + churned = closing.
with moved as (
    select
        revenue.account_id,
        revenue.month,
        case
            when lag(revenue.month) over (partition by revenue.account_id order by revenue.month) is not null
                then revenue.opening
            -- The first month of the data: an older customer's revenue is not new, only what went before is not known.
            when account_month.customer_month < revenue.month then revenue.mrr
            else 0.00
        end as opening,
        revenue.mrr as closing,
        coalesce(max(revenue.has_paid) over (
            partition by revenue.account_id order by revenue.month rows between unbounded preceding and 1 preceding
        ), false) as has_paid_before
    from value.revenue as revenue
    join canonical.account_month as account_month
        on account_month.account_id = revenue.account_id and account_month.month = revenue.month
)
select
    account_id,                                                                                     -- the company
    month,                                                                                          -- the month
    opening,                                                                                        -- revenue at the end of the month before
    case when opening = 0 and closing > 0 and not has_paid_before then closing else 0.00 end as new, -- first revenue ever
    case when opening = 0 and closing > 0 and has_paid_before then closing else 0.00 end as reactivated, -- revenue after a time without
    case when opening > 0 and closing > opening then closing - opening else 0.00 end as expanded,   -- more than before
    case when opening > closing and closing > 0 then closing - opening else 0.00 end as contracted, -- less than before; negative
    case when opening > 0 and closing = 0 then -opening else 0.00 end as churned,                   -- all gone; negative
    closing                                                                                         -- revenue at the end of the month
from moved
where opening is not null and closing is not null
