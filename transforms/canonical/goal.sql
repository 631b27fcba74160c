-- grain: goal_id
-- Goals agreed with, or set for, a customer; plan and measure joined where the source keeps them apart.
with measured as (
    select source_system, goal_source_id, max(target) as target
    from staged.goal_measure
    group by source_system, goal_source_id
),
-- Our own people by id and by address: one of them in the field for the customer's owner is no owner at the customer.
ours as (
    select person_id as owner_key from canonical.person where side = 'vendor'
    union
    select email_hash from canonical.person where side = 'vendor' and email_hash is not null
),
told as (
    select
        goal.source_system || ':' || goal.source_id as goal_id,
        case
            when contains(goal.customer_owner_source_id, '@') then keyed_hash(goal.customer_owner_source_id)
            else person_key(goal.source_system, goal.customer_owner_source_id)
        end as owner_key,
        became_known(goal.known_at, first.first_known_at, goal.created_at) as known_at
    from staged.goal as goal
    join canonical.first_landing as first on first.source_system = goal.source_system
)
select
    goal.source_system || ':' || goal.source_id as goal_id,                         -- system:id
    goal.source_system,                                                                 -- the system
    xref.account_id,                                                                    -- the company; null when unmatched
    coalesce(goal.target, measured.target) is not null as has_target,                   -- a target is recorded
    (told.owner_key is not null and ours.owner_key is null)
        or coalesce(goal.owner_side in ('customer', 'joint') and ours.owner_key is null, false) as has_customer_owner, -- someone at the customer owns it
    coalesce(goal.beneficiary, 'unknown') as beneficiary,                               -- joint, customer, supplier, unknown
    coalesce(goal.start_on, local_day(goal.created_at, run.timezone)) as start_on,      -- first day that it was pursued
    goal.due_on,                                                                        -- due date
    goal.ended_on,                                                                      -- last day that it was pursued
    goal.confirmed_on,                                                                  -- the customer's confirmation
    goal.reviewed_on,                                                                   -- the latest review
    coalesce(goal.status, 'unknown') as status,                                         -- draft, active, achieved, missed, cancelled, unknown
    local_day(goal.created_at, run.timezone) as created_on,                             -- entered in the source
    told.known_at,                                                                      -- when it became known, UTC
    local_day(greatest(goal.created_at, told.known_at), run.timezone) as known_on,      -- first day on which it can count
    template.template_from                                                              -- day on which its text became a template; null: it is none
from staged.goal as goal
cross join setting.run as run
join told on told.goal_id = goal.source_system || ':' || goal.source_id
left join ours on ours.owner_key = told.owner_key
left join staged.plan as plan
    on plan.source_system = goal.source_system and plan.source_id = goal.plan_source_id
left join measured on measured.source_system = goal.source_system and measured.goal_source_id = goal.source_id
left join canonical.account_lookup as xref
    on xref.source_system = goal.source_system
    and xref.source_account_id = coalesce(goal.source_account_id, plan.source_account_id)
left join canonical.goal_template as template on template.goal_id = told.goal_id
where not coalesce(goal.is_deleted, false)
    and local_day(goal.created_at, run.timezone) <= run.as_of
