-- grain: goal_id
-- Goals of which somebody said whom they serve. A source in which nearly all of 20 or more goals bear one and the same
-- tag has a default, not an opinion; and a template brings its tag along.
with tag as (
    select source_system, beneficiary, count(*) as goals
    from canonical.goal
    where beneficiary <> 'unknown'
    group by source_system, beneficiary
),
default_tag as (
    select source_system from tag group by source_system having sum(goals) >= 20 and max(goals) > 0.95 * sum(goals)
)
select
    goal.goal_id,                                                           -- system:id
    goal.account_id,                                                        -- the company
    goal.start_on,                                                          -- first day that it was pursued
    coalesce(goal.ended_on, goal.due_on) as end_on,                         -- last day; null: open
    goal.known_on as day,                                                   -- first day on which it can count
    goal.beneficiary                                                        -- joint, customer, supplier
from canonical.goal as goal
left join default_tag on default_tag.source_system = goal.source_system
where goal.account_id is not null
    and goal.beneficiary <> 'unknown'
    and goal.status not in ('draft', 'cancelled')
    and goal.template_from is null
    and default_tag.source_system is null
