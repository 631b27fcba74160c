-- grain: source_system, method, key
-- Which of a CRM's accounts a key means, and during which time it meant that one alone. A key that a second account
-- turns out to have, in any of the CRMs, proves nothing from then on; what it proved before stays.
with held as (
    select source_system, source_account_id, method, key, known_at from canonical.account_key
    union all
    -- An address is a domain of its company too; who declares one has it alone (below).
    select source_system, source_account_id, 'email_domain', key, known_at from canonical.account_key where method = 'domain'
),
holder as (
    select
        held.source_system,
        held.method,
        held.key,
        coalesce(merge.survivor_id, held.source_account_id) as holder_id,
        min(held.known_at) as known_at
    from held
    join canonical.crm as crm on crm.source_system = held.source_system
    left join canonical.account_merge as merge
        on merge.source_system = held.source_system and merge.source_account_id = held.source_account_id
    group by held.source_system, held.method, held.key, coalesce(merge.survivor_id, held.source_account_id)
),
placed as (
    select
        source_system,
        method,
        key,
        holder_id,
        known_at,
        row_number() over (partition by source_system, method, key order by known_at, holder_id) as place
    from holder
),
owner as (
    select
        first.source_system,
        first.method,
        first.key,
        first.holder_id,
        first.known_at as owned_from,
        second.known_at as contested_at
    from placed as first
    left join placed as second
        on second.source_system = first.source_system
        and second.method = first.method
        and second.key = first.key
        and second.place = 2
    where first.place = 1
),
contested as (
    select method, key, min(contested_at) as contested_at from owner group by method, key
)
select
    owner.source_system,                                -- the CRM
    owner.method,                                       -- id, external_id, vat, ean, domain, email_domain (also declared ones)
    owner.key,                                          -- the key
    owner.holder_id as owner_id,                        -- the account's id there
    owner.owned_from,                                   -- UTC; since when it is known as this account's
    contested.contested_at as owned_until               -- UTC; when another was first seen with it; null: never
from owner
join contested on contested.method = owner.method and contested.key = owner.key
where owner.owned_from < contested.contested_at or contested.contested_at is null
