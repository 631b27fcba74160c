-- grain: account_id, month
-- P1: share of active months with a qualified shared goal.
select
    style_window.account_id,                                                -- the company
    style_window.month,                                                     -- last month of the window
    cast(count(goal_month.month) as double) as numerator,                   -- months with a qualified goal
    cast(style_window.active_months as double) as denominator,              -- active months
    style_window.active_months as n,                                        -- the evidence: active months
    count(goal_month.month) / style_window.active_months as raw_value,      -- share
    cast(null as double) as raw_error,                                      -- from the counts
    case
        when bool_and(goal_month.goal_evidence = 'owner_only') then 'owner_only'
        when count(goal_month.month) > 0 then 'confirmed'
    end as goal_evidence                                                    -- confirmed, owner_only: an owner at the customer has to do; null: no goals
from style.window as style_window
left join style.goal_month as goal_month
    on goal_month.account_id = style_window.account_id
    and goal_month.month between style_window.window_start and style_window.month
group by style_window.account_id, style_window.month, style_window.active_months
