-- grain: source_system, source_account_id, crm, crm_account_id
-- Which accounts of a CRM an account of another system is by a certain key, and since when. An address is often a
-- bookkeeper's: its domain speaks only for a name that it begins with.
with named as (
    select key.source_system, key.source_account_id, key.key, min(greatest(key.known_at, word.known_at)) as known_at
    from canonical.account_key as key
    join canonical.account_word as word
        on word.source_system = key.source_system and word.source_account_id = key.source_account_id
    where key.method in ('domain', 'email_domain') and starts_with(key.key, word.word)
    group by key.source_system, key.source_account_id, key.key
),
proven as (
    select
        shared.source_system,
        shared.source_account_id,
        shared.crm,
        shared.crm_account_id,
        case
            when 'external_id' in (shared.own_method, shared.crm_method) then 'external_id'
            when 'email_domain' in (shared.own_method, shared.crm_method) then 'email_domain'
            else shared.own_method
        end as method,
        greatest(
            shared.known_at,
            case when shared.own_method = 'email_domain' then own.known_at end,
            case when shared.crm_method = 'email_domain' then other.known_at end
        ) as known_at,
        shared.owned_until
    from canonical.shared_key as shared
    left join named as own
        on own.source_system = shared.source_system and own.source_account_id = shared.source_account_id
        and own.key = shared.key
    left join named as other
        on other.source_system = shared.crm and other.source_account_id = shared.crm_account_id and other.key = shared.key
    where (shared.own_method <> 'email_domain' or own.key is not null)
        and (shared.crm_method <> 'email_domain' or other.key is not null)
),
ranked as (
    select
        source_system,
        source_account_id,
        crm,
        crm_account_id,
        method,
        known_at,
        owned_until,
        row_number() over (
            partition by source_system, source_account_id, crm, crm_account_id
            order by known_at, case method when 'external_id' then 1 when 'vat' then 2 when 'ean' then 3 when 'domain' then 4 else 5 end
        ) as place,
        max(case when owned_until is null then 1 else 0 end) over (
            partition by source_system, source_account_id, crm, crm_account_id
        ) as stands
    from proven
    where known_at < owned_until or owned_until is null
)
select
    source_system,                              -- the system
    source_account_id,                          -- the account's id there
    crm,                                        -- the CRM
    crm_account_id,                             -- the account there that shares a key with it
    method,                                     -- the first key that said so: external_id, vat, ean, domain, email_domain
    known_at,                                   -- UTC; since when
    stands = 1 as stands                        -- some key of theirs is still these two's alone
from ranked
where place = 1
