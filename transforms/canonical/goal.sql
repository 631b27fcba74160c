-- grain: goal_id
-- Goals agreed with, or set for, a customer; plan and measure joined where the source keeps them apart.
with measured as (
    select source_system, goal_source_id, max(target) as target
    from staged.goal_measure
    group by source_system, goal_source_id
)
select
    goal.source_system || ':' || goal.source_id as goal_id,                         -- system:id
    goal.source_system,                                                                 -- the system
    xref.account_id,                                                                    -- the company; null when unmatched
    coalesce(goal.target, measured.target) is not null as has_target,                   -- a target is recorded
    goal.customer_owner_source_id is not null
        or coalesce(goal.owner_side in ('customer', 'joint'), false) as has_customer_owner, -- someone at the customer owns it
    coalesce(goal.beneficiary, 'unknown') as beneficiary,                               -- joint, customer, supplier, unknown
    coalesce(goal.start_on, local_day(goal.created_at, run.timezone)) as start_on,      -- first day that it was pursued
    goal.due_on,                                                                        -- due date
    goal.ended_on,                                                                      -- last day that it was pursued
    goal.confirmed_on,                                                                  -- the customer's confirmation
    goal.reviewed_on,                                                                   -- the latest review
    coalesce(goal.status, 'unknown') as status,                                         -- draft, active, achieved, missed, cancelled, unknown
    local_day(goal.created_at, run.timezone) as created_on,                             -- entered in the source
    case
        when goal.known_at = first.first_known_at then goal.created_at
        else goal.known_at
    end as known_at                                                                     -- when it became known, UTC
from staged.goal as goal
cross join setting.run as run
join canonical.first_landing as first on first.source_system = goal.source_system
left join staged.plan as plan
    on plan.source_system = goal.source_system and plan.source_id = goal.plan_source_id
left join measured on measured.source_system = goal.source_system and measured.goal_source_id = goal.source_id
left join canonical.account_lookup as xref
    on xref.source_system = goal.source_system
    and xref.source_account_id = coalesce(goal.source_account_id, plan.source_account_id)
where not coalesce(goal.is_deleted, false)
    and local_day(goal.created_at, run.timezone) <= run.as_of
