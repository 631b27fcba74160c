-- grain: account_id, month
-- Style and value of each relationship on their common scale, with standard errors on the probit. A measure of weight 0 is
-- in no count and in no mean.
with wide as (
    select
        account_id,
        month,
        sum(case when part = 'partnership_goals' then ok_components else 0 end) as goal_indicators,
        sum(case when part = 'partnership_conduct' then ok_components else 0 end) as conduct_indicators,
        sum(case when starts_with(part, 'partnership_') then ok_components else 0 end) as indicators,
        cast(sum(case when starts_with(part, 'partnership_') then exact(weight_sum) else 0 end) as double) as partnership_weight,
        cast(sum(case when starts_with(part, 'partnership_') then exact(z_sum) else 0 end) as double) as partnership_sum,
        cast(sum(case when starts_with(part, 'partnership_') then exact(variance_sum) else 0 end) as double) as partnership_variance,
        sum(case when part = 'cost_focus_customer' then ok_components else 0 end) as cost_indicators,
        max(case when part = 'cost_focus_customer' and ok_components >= 2 then z_sum / weight_sum end) as cost_customer_z,
        max(
            case when part = 'cost_focus_customer' and ok_components >= 2 then sqrt(variance_sum) / weight_sum end
        ) as cost_customer_error,
        sum(case when part = 'cost_focus_supplier' then ok_components else 0 end) as own_cost_indicators,
        max(case when part = 'cost_focus_supplier' then z_sum / weight_sum end) as cost_supplier_z,
        max(case when part = 'cost_focus_supplier' then sqrt(variance_sum) / weight_sum end) as cost_supplier_error,
        max(case when part = 'supplier_value' then ok_components else 0 end) as supplier_ok,
        max(case when part = 'supplier_value' then z_sum / weight_sum end) as supplier_mean,
        max(case when part = 'supplier_value' then sqrt(variance_sum) / weight_sum end) as supplier_error,
        max(case when part = 'customer_value' then ok_components else 0 end) as customer_ok,
        max(case when part = 'customer_value' then z_sum / weight_sum end) as customer_mean,
        max(case when part = 'customer_value' then sqrt(variance_sum) / weight_sum end) as customer_error
    from scores.part
    group by account_id, month
)
select
    account_month.account_id,                                               -- the company
    account_month.month,                                                    -- the month
    cast(coalesce(wide.indicators, 0) as bigint) as indicators,             -- ok among P1-P7
    cast(coalesce(wide.goal_indicators, 0) as bigint) as goal_indicators,   -- ok among P1-P3
    cast(coalesce(wide.conduct_indicators, 0) as bigint) as conduct_indicators, -- ok among P4-P6
    cast(coalesce(wide.cost_indicators, 0) as bigint) as cost_indicators,   -- ok among C1-C3
    cast(coalesce(wide.own_cost_indicators, 0) as bigint) as own_cost_indicators, -- ok of C4 and O1
    coalesce(wide.supplier_ok, 0) as supplier_ok,                           -- ok supplier components
    coalesce(wide.customer_ok, 0) as customer_ok,                           -- ok customer components
    case
        when wide.indicators >= 3 and wide.goal_indicators >= 1 and wide.conduct_indicators >= 1
            then wide.partnership_sum / wide.partnership_weight
    end as partnership_z,                                                   -- weighted mean z; null without 3 indicators of both kinds
    sqrt(wide.partnership_variance) / nullif(wide.partnership_weight, 0) as partnership_error, -- its standard error
    wide.cost_customer_z,                                                   -- weighted mean z of C1-C3; null under 2
    wide.cost_supplier_z,                                                   -- weighted mean z of C4 and O1; null without either
    (coalesce(wide.cost_customer_z, wide.cost_supplier_z) + coalesce(wide.cost_supplier_z, wide.cost_customer_z)) / 2
        as cost_focus_z,                                                    -- mean of the sides there are
    sqrt(
        power(coalesce(wide.cost_customer_error, 0), 2) + power(coalesce(wide.cost_supplier_error, 0), 2)
    ) / nullif(
        case when wide.cost_customer_z is null then 0 else 1 end + case when wide.cost_supplier_z is null then 0 else 1 end, 0
    ) as cost_focus_error,                                                  -- its standard error
    -- Clipped at the 1st and 99th percentile: no side is ever wholly without value, so the mean of both stays defined.
    case when wide.supplier_ok >= 2 then greatest(-2.326, least(2.326, wide.supplier_mean)) end as supplier_z, -- null under 2 ok components
    wide.supplier_error,                                                    -- its standard error
    case when wide.customer_ok >= 2 then greatest(-2.326, least(2.326, wide.customer_mean)) end as customer_z, -- null under 2 ok components
    wide.customer_error                                                     -- its standard error
from canonical.account_month as account_month
left join wide on wide.account_id = account_month.account_id and wide.month = account_month.month
