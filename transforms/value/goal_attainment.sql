-- grain: account_id, month
-- Goal attainment scaling over the goals that came due in the window: T = 50 + 10 * sum(w x) / sqrt((1 - r) * sum(w^2) +
-- r * (sum w)^2), r = .3 the expected correlation of goals (T. J. Kiresuk, R. E. Sherman, Community Mental Health Journal
-- 4, 1968). 50 is as expected. Goals are the exposure that is compared, so it is no part of value.
with due as (
    select goal.account_id, cast(date_trunc('month', goal.due_on) as date) as month, result.weight, result.attainment
    from canonical.goal as goal
    join canonical.goal_result as result on result.goal_id = goal.goal_id
    where goal.account_id is not null
        and result.attainment is not null
        and result.weight > 0
        and goal.status not in ('draft', 'cancelled')
),
in_window as (
    select
        value_window.account_id,
        value_window.month,
        count(*) as goals,
        cast(sum(exact(due.weight * due.attainment)) as double) as reached,
        cast(sum(exact(due.weight)) as double) as weight,
        cast(sum(exact(due.weight * due.weight)) as double) as weight_square
    from value.window as value_window
    join due
        on due.account_id = value_window.account_id
        and due.month between value_window.window_start and value_window.window_end
    group by value_window.account_id, value_window.month
)
select
    account_id,                                                     -- the company
    month,                                                          -- the month that the value stands for
    cast(null as double) as numerator,                              -- none: goals are not independent
    cast(null as double) as denominator,                            -- none
    goals as n,                                                     -- the evidence: goals that came due
    50 + 10 * reached / sqrt(0.7 * weight_square + 0.3 * power(weight, 2)) as raw_value, -- T score
    cast(null as double) as raw_error                               -- all goals are no sample
from in_window
