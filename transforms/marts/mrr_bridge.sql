-- grain: account_id, month
-- How recurring revenue moved from month to month, one account at a time: opening + new + reactivated + expanded +
-- contracted + churned = closing.
with moved as (
    select
        account_id,
        month,
        -- The first month of the data has nothing before it: what is in force then is opening revenue, not new.
        case when lag(month) over (partition by account_id order by month) is null then mrr else opening end as opening,
        mrr as closing,
        coalesce(max(has_paid) over (
            partition by account_id order by month rows between unbounded preceding and 1 preceding
        ), false) as has_paid_before
    from value.revenue
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
