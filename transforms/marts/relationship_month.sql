-- grain: account_id, month
-- How each relationship is run and what each party gets from it. All scores are 0-1, 0.5 is the reference's middle.
with scored as (
    select
        relationship.account_id,
        relationship.month,
        relationship.indicators,
        relationship.supplier_ok,
        relationship.customer_ok,
        normal_cdf(relationship.partnership_z) as partnership,
        normal_cdf(relationship.partnership_z - 1.959964 * relationship.partnership_error) as partnership_low,
        normal_cdf(relationship.partnership_z + 1.959964 * relationship.partnership_error) as partnership_high,
        normal_cdf(relationship.cost_customer_z) as cost_focus_customer,
        normal_cdf(relationship.cost_supplier_z) as cost_focus_supplier,
        -- The chances of lying above the reference's middle, where the four cells meet. Of two sides' scores the mean lies
        -- above one half exactly where the mean of their z lies above 0.
        normal_cdf(relationship.partnership_z / nullif(relationship.partnership_error, 0)) as is_partner,
        normal_cdf(relationship.cost_focus_z / nullif(relationship.cost_focus_error, 0)) as is_cost_focused,
        normal_cdf(relationship.supplier_z) as supplier_value,
        normal_cdf(relationship.customer_z) as customer_value,
        normal_pdf(relationship.supplier_z) / normal_cdf(relationship.supplier_z) * relationship.supplier_error as supplier_log_error,
        normal_pdf(relationship.customer_z) / normal_cdf(relationship.customer_z) * relationship.customer_error as customer_log_error,
        goals.account_id is not null as has_goals,
        coverage.goal_evidence
    from scores.relationship as relationship
    -- P1 and P2: whether goals and the work on them are in the score at all.
    left join (
        select distinct account_id, month
        from scores.component
        where weight > 0 and measure_id in ('shared_goal_coverage', 'mutual_responsibility')
    ) as goals on goals.account_id = relationship.account_id and goals.month = relationship.month
    left join style.shared_goal_coverage as coverage
        on coverage.account_id = relationship.account_id and coverage.month = relationship.month
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
    where partnership is not null and is_cost_focused is not null
)
select
    scored.account_id,                                                      -- the company
    scored.month,                                                           -- last month of the windows (style 12, value 6 months)
    scored.partnership,                                                     -- 0-1: how far the two run it as partners
    scored.partnership_low,                                                 -- lower end of its 95 % interval
    scored.partnership_high,                                                -- upper end of its 95 % interval
    scored.cost_focus_customer,                                             -- 0-1: how far the customer looks at its own costs
    scored.cost_focus_supplier,                                             -- 0-1: the same of us
    (
        coalesce(scored.cost_focus_customer, scored.cost_focus_supplier)
        + coalesce(scored.cost_focus_supplier, scored.cost_focus_customer)
    ) / 2 as cost_focus,                                                    -- mean of the sides there are
    named.style,                                                            -- Partnership, Demanding partner, Transactional, Dormant, Undetermined; for display only
    scored.supplier_value,                                                  -- 0-1: what we get
    scored.customer_value,                                                  -- 0-1: what the customer gets
    sqrt(scored.supplier_value * scored.customer_value) as mutual_value,    -- 0-1: geometric mean of the two sides
    sqrt(scored.supplier_value * scored.customer_value) * exp(
        -1.959964 / 2 * sqrt(power(scored.supplier_log_error, 2) + power(scored.customer_log_error, 2))
    ) as mutual_value_low,                                                  -- lower end of its 95 % interval
    -- The least of 1 and nothing would be 1.
    case
        when scored.supplier_value * scored.customer_value is not null then least(1, sqrt(scored.supplier_value * scored.customer_value) * exp(
            1.959964 / 2 * sqrt(power(scored.supplier_log_error, 2) + power(scored.customer_log_error, 2))
        ))
    end as mutual_value_high,                                                -- upper end of its 95 % interval
    sqrt(scored.supplier_value * scored.customer_value) / ((scored.supplier_value + scored.customer_value) / 2) as balance, -- 0-1: 1 when both get as much
    ln(scored.supplier_value / scored.customer_value) / 2 as tilt,          -- over 0: we gain more; under 0: the customer does
    revenue.mrr,                                                            -- recurring revenue of the month, in the project's currency
    concat_ws(
        ',',
        case when scored.has_goals then 'goals' else 'no_goals' end,
        case when scored.has_goals and scored.goal_evidence = 'owner_only' then 'owner_only' end,
        case when scored.cost_focus_customer is not null then 'cost_focus_customer' end,
        case when scored.cost_focus_supplier is not null then 'cost_focus_supplier' end
    ) as evidence,                                                          -- goals or no_goals; owner_only: no source says that a customer confirmed them; the sides behind cost_focus
    case
        when scored.partnership is not null and scored.supplier_value is not null and scored.customer_value is not null then null
        else concat_ws(
            '; ',
            case
                when scored.partnership is null
                    then concat('partnership: ', scored.indicators, ' of 3 indicators')
            end,
            case when scored.supplier_value is null then concat('supplier_value: ', scored.supplier_ok, ' of 2 components') end,
            case when scored.customer_value is null then concat('customer_value: ', scored.customer_ok, ' of 2 components') end
        )
    end as reason                                                           -- what is missing where a score is null
from scored
left join named on named.account_id = scored.account_id and named.month = scored.month
left join value.revenue as revenue on revenue.account_id = scored.account_id and revenue.month = scored.month
