-- grain: source_system, source_account_id
-- Which company each system's account is: by a person's decision or by certain keys only. Where they disagree, or none
-- is shared, account_id is null: the account stays visible and counted. A likeness of names is never used; it may only
-- suggest. An account that names the id of one in another system, which is linked, is that company too.
with linked as (
    select source_system, source_account_id, account_id, method, known_at, contradicting_id from canonical.account_link
    union all
    select source_system, source_account_id, account_id, method, known_at, null from canonical.account_survivor
),
named as (
    select
        own.source_system,
        own.source_account_id,
        min(linked.account_id) as account_id,
        min(greatest(own.known_at, named.known_at, linked.known_at)) as known_at
    from canonical.account_key as own
    join canonical.account_link as unmatched
        on unmatched.source_system = own.source_system and unmatched.source_account_id = own.source_account_id
    join canonical.account_key as named
        on named.key = own.key and named.method = 'id' and named.source_system <> own.source_system
    join canonical.account_link as linked
        on linked.source_system = named.source_system and linked.source_account_id = named.source_account_id
    left join setting.link_decision as rejected
        on rejected.system = own.source_system
        and rejected.source_account_id = own.source_account_id
        and rejected.account_id = linked.account_id
        and rejected.decision = 'reject'
    where own.method = 'external_id' and length(own.key) >= 6
        and unmatched.method = 'unmatched' and linked.account_id is not null and rejected.system is null
    group by own.source_system, own.source_account_id
    having count(distinct linked.account_id) = 1
)
select
    linked.source_system,                                                   -- the system
    linked.source_account_id,                                               -- the account's id there
    coalesce(linked.account_id, named.account_id) as account_id,            -- the company; null where nothing certain says which
    case
        when named.account_id is not null then 'external_id' else linked.method
    end as method,                                                          -- exact_id, manual, merged, external_id, vat, ean, domain, email_domain, conflict, unmatched
    case when coalesce(linked.account_id, named.account_id) is not null then cast(1 as double) end as probability, -- 1 for a certain key or a decision
    coalesce(linked.known_at, named.known_at) as linked_at,                 -- UTC; since when a key says so, or the day of the decision; null for its own id
    linked.contradicting_id                                                 -- another company that its keys name today; null: none
from linked
left join named using (source_system, source_account_id)
