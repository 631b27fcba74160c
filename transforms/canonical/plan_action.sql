-- grain: action_id
-- What the two parties agreed to do, by whom and until when.
select
    action.source_system || ':' || action.source_id as action_id,       -- system:id
    xref.account_id,                                                    -- the company; null when unmatched
    action.source_system || ':' || action.goal_source_id as goal_id,    -- the goal that it serves
    coalesce(action.owner_side, 'unknown') as owner_side,               -- vendor, customer, joint, unknown
    coalesce(action.first_due_on, action.due_on) as first_due_on,       -- due date as first agreed
    action.due_on,                                                      -- due date today
    action.done_on,                                                     -- null while it is not done
    coalesce(action.status, 'unknown') as status,                       -- open, done, cancelled, unknown
    local_day(action.created_at, run.timezone) as created_on,           -- day of creation in the project's zone
    cast(date_trunc('month', coalesce(action.first_due_on, action.due_on)) as date) as month, -- month in which it was first due
    greatest(
        cast(date_trunc('month', coalesce(action.first_due_on, action.due_on)) as date),
        local_month(
            became_known(
                action.known_at,
                first.first_known_at,
                coalesce(action.created_at, cast(coalesce(action.first_due_on, action.due_on) as timestamp))
            ),
            run.timezone
        )
    ) as known_month                                                    -- first month whose windows may count it
from staged.plan_action as action
cross join setting.run as run
join canonical.first_landing as first on first.source_system = action.source_system
left join staged.goal as goal
    on goal.source_system = action.source_system and goal.source_id = action.goal_source_id
left join staged.plan as plan
    on plan.source_system = action.source_system and plan.source_id = coalesce(action.plan_source_id, goal.plan_source_id)
left join canonical.account_lookup as xref
    on xref.source_system = action.source_system
    and xref.source_account_id = coalesce(action.source_account_id, goal.source_account_id, plan.source_account_id)
where not coalesce(action.is_deleted, false)
