-- grain: account_id, month
-- How each relationship is run and what each party gets from it. All scores are 0-1, 0.5 is the reference's middle.
with scored as (
    select
        relationship.account_id,
        relationship.month,
        relationship.goal_indicators,
        relationship.conduct_indicators,
        relationship.cost_indicators,
        relationship.supplier_ok,
        relationship.customer_ok,
        normal_cdf(relationship.partnership_z) as partnership,
        normal_cdf(relationship.partnership_z - 1.959964 * relationship.partnership_error) as partnership_low,
        normal_cdf(relationship.partnership_z + 1.959964 * relationship.partnership_error) as partnership_high,
        normal_cdf(relationship.cost_focus_z) as cost_focus,
        -- The chances of lying above the reference's middle, where the four cells meet.
        normal_cdf(relationship.partnership_z / nullif(relationship.partnership_error, 0)) as is_partner,
        normal_cdf(relationship.cost_focus_z / nullif(relationship.cost_focus_error, 0)) as is_cost_focused,
        normal_cdf(relationship.supplier_z) as supplier_value,
        normal_cdf(relationship.customer_z) as customer_value,
        normal_pdf(relationship.supplier_z) / normal_cdf(relationship.supplier_z) * relationship.supplier_error as supplier_log_error,
        normal_pdf(relationship.customer_z) / normal_cdf(relationship.customer_z) * relationship.customer_error as customer_log_error,
        goals.status as goal_status
    from scores.relationship as relationship
    left join scores.shrunk as goals
        on goals.account_id = relationship.account_id
        and goals.month = relationship.month
        and goals.measure_id = 'shared_goal_coverage'
),
named as (
    select
        account_id,
        month,
        case
            when is_partner * (1 - is_cost_focused) >= 0.8 then 'Partnership'
            when is_partner * is_cost_focused >= 0.8 then 'Demanding partner'
            when (1 - is_partner) * is_cost_focused >= 0.8 then 'Transactional'
            when (1 - is_partner) * (1 - is_cost_focused) >= 0.8 then 'Dormant'
            else 'Undetermined'
        end as style
    from scored
    where partnership is not null and cost_focus is not null
)
select
    scored.account_id,                                                      -- the company
    scored.month,                                                           -- last month of the windows (style 12, value 6 months)
    scored.partnership,                                                     -- 0-1: how far the two run it as partners
    scored.partnership_low,                                                 -- lower end of its 95 % interval
    scored.partnership_high,                                                -- upper end of its 95 % interval
    scored.cost_focus as cost_focus_customer,                               -- 0-1: how far the customer looks at its own costs
    cast(null as double) as cost_focus_supplier,                            -- 0-1: the same of us; no source for it yet
    scored.cost_focus,                                                      -- mean of the sides there are
    named.style,                                                            -- Partnership, Demanding partner, Transactional, Dormant, Undetermined; for display only
    scored.supplier_value,                                                  -- 0-1: what we get
    scored.customer_value,                                                  -- 0-1: what the customer gets
    sqrt(scored.supplier_value * scored.customer_value) as mutual_value,    -- 0-1: geometric mean of the two sides
    sqrt(scored.supplier_value * scored.customer_value) * exp(
        -1.959964 / 2 * sqrt(power(scored.supplier_log_error, 2) + power(scored.customer_log_error, 2))
    ) as mutual_value_low,                                                  -- lower end of its 95 % interval
    least(1, sqrt(scored.supplier_value * scored.customer_value) * exp(
        1.959964 / 2 * sqrt(power(scored.supplier_log_error, 2) + power(scored.customer_log_error, 2))
    )) as mutual_value_high,                                                -- upper end of its 95 % interval
    sqrt(scored.supplier_value * scored.customer_value) / ((scored.supplier_value + scored.customer_value) / 2) as balance, -- 0-1: 1 when both get as much
    ln(scored.supplier_value / scored.customer_value) / 2 as tilt,          -- over 0: we gain more; under 0: the customer does
    revenue.mrr,                                                            -- recurring revenue of the month, in the project's currency
    concat_ws(
        ',',
        case when scored.goal_status = 'ok' then 'goals' else 'no_goals' end,
        case when scored.cost_focus is not null then 'cost_focus_customer' end
    ) as evidence,                                                          -- goals or no_goals; the sides behind cost_focus
    case
        when scored.partnership is not null and scored.supplier_value is not null and scored.customer_value is not null then null
        else concat_ws(
            '; ',
            case
                when scored.partnership is null
                    then concat('partnership: ', scored.goal_indicators + scored.conduct_indicators, ' of 3 indicators')
            end,
            case when scored.supplier_value is null then concat('supplier_value: ', scored.supplier_ok, ' of 2 components') end,
            case when scored.customer_value is null then concat('customer_value: ', scored.customer_ok, ' of 2 components') end
        )
    end as reason                                                           -- what is missing where a score is null
from scored
left join named on named.account_id = scored.account_id and named.month = scored.month
left join value.revenue as revenue on revenue.account_id = scored.account_id and revenue.month = scored.month
