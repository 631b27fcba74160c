-- grain: account_id, known_from
-- The group that each company belongs to: its topmost parent, through up to four, and from when to when it was known
-- to belong there. What the first drop says counts as far back as is known. Companies that are each other's parents are
-- the group of the least id among them.
with told as (
    select
        child.account_id,
        coalesce(parent.account_id, told.source_system || ':' || told.parent_source_id) as parent_id,
        told.known_at,
        lag(told.known_at) over (partition by child.account_id order by told.known_at) as before,
        lead(told.known_at) over (partition by child.account_id order by told.known_at) as after
    from staged.account_parent as told
    join canonical.account_survivor as child
        on child.source_system = told.source_system and child.source_account_id = told.source_id
        and child.account_id = told.source_system || ':' || told.source_id
    left join canonical.account_survivor as parent
        on parent.source_system = told.source_system and parent.source_account_id = told.parent_source_id
),
step as (
    select
        account_id,
        nullif(parent_id, account_id) as parent_id,
        case when before is null then timestamp '1900-01-01' else known_at end as known_from,
        coalesce(after, timestamp '9999-01-01') as known_until
    from told
    where known_at < after or after is null
),
one as (
    select account_id, coalesce(parent_id, account_id) as top, [account_id, parent_id] as visited, known_from, known_until
    from step
),
two as (
    select
        one.account_id,
        coalesce(step.parent_id, one.top) as top,
        list_append(one.visited, step.parent_id) as visited,
        greatest(one.known_from, step.known_from) as known_from,
        least(one.known_until, step.known_until) as known_until
    from one
    left join step
        on step.account_id = one.top and step.known_from < one.known_until and one.known_from < step.known_until
),
three as (
    select
        two.account_id,
        coalesce(step.parent_id, two.top) as top,
        list_append(two.visited, step.parent_id) as visited,
        greatest(two.known_from, step.known_from) as known_from,
        least(two.known_until, step.known_until) as known_until
    from two
    left join step
        on step.account_id = two.top and step.known_from < two.known_until and two.known_from < step.known_until
)
select
    three.account_id,                                                                           -- the company
    case
        when above.parent_id is null then three.top
        when list_contains(three.visited, above.parent_id) then list_min(three.visited)
        else above.parent_id
    end as group_id,                                                                            -- its topmost parent; the company itself without one
    greatest(three.known_from, above.known_from) as known_from,                                 -- UTC; 1900-01-01: as far back as is known
    least(three.known_until, above.known_until) as known_until                                  -- UTC, exclusive; 9999-01-01: to this day
from three
left join step as above
    on above.account_id = three.top and above.known_from < three.known_until and three.known_from < above.known_until
