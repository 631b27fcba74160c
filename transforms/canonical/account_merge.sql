-- grain: source_system, source_account_id
-- Accounts that their system has merged into another one, and the one that is left, through up to four merges in a row.
with told as (
    select source_system, source_id as source_account_id, merged_into_source_id as into_id
    from staged.account
    where merged_into_source_id is not null
    union all
    -- Told by the one that is left.
    select source_system, unnest(merged_source_ids), source_id
    from staged.account
    where merged_source_ids is not null
),
merge as (
    select source_system, source_account_id, min(into_id) as into_id
    from told
    where source_account_id <> into_id
    group by source_system, source_account_id
)
select
    first.source_system,                                                                -- the system
    first.source_account_id,                                                            -- the account that is no more
    coalesce(fourth.into_id, third.into_id, second.into_id, first.into_id) as survivor_id -- the account that is left
from merge as first
left join merge as second
    on second.source_system = first.source_system and second.source_account_id = first.into_id
left join merge as third
    on third.source_system = first.source_system and third.source_account_id = second.into_id
left join merge as fourth
    on fourth.source_system = first.source_system and fourth.source_account_id = third.into_id
