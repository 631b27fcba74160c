-- grain: goal_id
-- What became of each goal, on the scale of goal attainment scaling: 0 is what was expected, 2 much more, -2 much less.
-- Where the source does not say so itself, reaching the target is as expected; going all of the way from the baseline
-- once more is much more, none of it much less. That a goal was achieved or missed says 0 or -1.
with measured as (
    -- Of several measures of one goal the mean of what was reached of each.
    select
        source_system,
        goal_source_id,
        cast(sum(exact(actual / nullif(target, 0))) as double) / nullif(count(actual / nullif(target, 0)), 0) as reached
    from staged.goal_measure
    group by source_system, goal_source_id
),
told as (
    select
        goal.source_system || ':' || goal.source_id as goal_id,
        coalesce(goal.weight, 1) as weight,
        coalesce(
            goal.attainment,
            round(2 * (coalesce(
                (goal.actual - coalesce(goal.baseline, 0)) / nullif(goal.target - coalesce(goal.baseline, 0), 0),
                measured.reached
            ) - 1)),
            case goal.status when 'achieved' then 0 when 'missed' then -1 end
        ) as attainment
    from staged.goal as goal
    left join measured on measured.source_system = goal.source_system and measured.goal_source_id = goal.source_id
    where not coalesce(goal.is_deleted, false)
)
select
    goal_id,                                                    -- system:id
    weight,                                                     -- beside the account's other goals
    case
        when attainment > 2 then 2
        when attainment < -2 then -2
        else attainment
    end as attainment                                           -- -2 to 2; null where nothing says what became of it
from told
