-- grain: account_id, month
-- Style and value of each relationship on their common scale, with standard errors on the probit.
with wide as (
    select
        account_id,
        month,
        max(case when part = 'partnership_goals' then ok_components else 0 end) as goal_indicators,
        max(case when part = 'partnership_conduct' then ok_components else 0 end) as conduct_indicators,
        cast(sum(case when part in ('partnership_goals', 'partnership_conduct') then exact(z_sum) else 0 end) as double) as partnership_sum,
        cast(sum(case when part in ('partnership_goals', 'partnership_conduct') then exact(variance_sum) else 0 end) as double) as partnership_variance,
        max(case when part = 'cost_focus_customer' then ok_components else 0 end) as cost_indicators,
        max(case when part = 'cost_focus_customer' then z_sum end) as cost_sum,
        max(case when part = 'cost_focus_customer' then variance_sum end) as cost_variance,
        max(case when part = 'supplier_value' then ok_components else 0 end) as supplier_ok,
        max(case when part = 'supplier_value' then z_sum / components end) as supplier_mean,
        max(case when part = 'supplier_value' then sqrt(variance_sum) / components end) as supplier_error,
        max(case when part = 'customer_value' then ok_components else 0 end) as customer_ok,
        max(case when part = 'customer_value' then z_sum / components end) as customer_mean,
        max(case when part = 'customer_value' then sqrt(variance_sum) / components end) as customer_error
    from scores.part
    group by account_id, month
)
select
    account_month.account_id,                                               -- the company
    account_month.month,                                                    -- the month
    coalesce(wide.goal_indicators, 0) as goal_indicators,                   -- ok among P1-P3
    coalesce(wide.conduct_indicators, 0) as conduct_indicators,             -- ok among P4-P6
    coalesce(wide.cost_indicators, 0) as cost_indicators,                   -- ok among C1-C3
    coalesce(wide.supplier_ok, 0) as supplier_ok,                           -- ok supplier components
    coalesce(wide.customer_ok, 0) as customer_ok,                           -- ok customer components
    case
        when wide.goal_indicators + wide.conduct_indicators >= 3 and wide.goal_indicators >= 1 and wide.conduct_indicators >= 1
            then wide.partnership_sum / (wide.goal_indicators + wide.conduct_indicators)
    end as partnership_z,                                                   -- mean z; null without 3 indicators of both kinds
    sqrt(wide.partnership_variance) / nullif(wide.goal_indicators + wide.conduct_indicators, 0) as partnership_error, -- its standard error
    case when wide.cost_indicators >= 2 then wide.cost_sum / wide.cost_indicators end as cost_focus_z, -- mean z; null without 2 indicators
    sqrt(wide.cost_variance) / nullif(wide.cost_indicators, 0) as cost_focus_error, -- its standard error
    -- Clipped at the 1st and 99th percentile: no side is ever wholly without value, so the mean of both stays defined.
    case when wide.supplier_ok >= 2 then greatest(-2.326, least(2.326, wide.supplier_mean)) end as supplier_z, -- null under 2 ok components
    wide.supplier_error,                                                    -- its standard error
    case when wide.customer_ok >= 2 then greatest(-2.326, least(2.326, wide.customer_mean)) end as customer_z, -- null under 2 ok components
    wide.customer_error                                                     -- its standard error
from canonical.account_month as account_month
left join wide on wide.account_id = account_month.account_id and wide.month = account_month.month
