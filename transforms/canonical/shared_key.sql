-- grain: source_system, source_account_id, crm, crm_account_id, own_method, crm_method, key
-- The certain keys that an account shares with one of a CRM; of two CRMs' accounts the one that was known first is the
-- company.
with own as (
    select key.source_system, key.source_account_id, key.method, key.key, key.known_at, account.is_master, account.first_known_at, crm.rank
    from canonical.account_key as key
    join canonical.account_source as account using (source_system, source_account_id)
    left join canonical.crm as crm on crm.source_system = key.source_system
),
owner as (
    select owner.source_system, owner.owner_id, owner.method, owner.key, owner.owned_from, owner.owned_until, account.first_known_at, crm.rank
    from canonical.key_owner as owner
    join canonical.account_source as account
        on account.source_system = owner.source_system and account.source_account_id = owner.owner_id
    join canonical.crm as crm on crm.source_system = owner.source_system
)
select
    own.source_system,                                      -- the system
    own.source_account_id,                                  -- the account's id there
    owner.source_system as crm,                             -- the CRM
    owner.owner_id as crm_account_id,                       -- the account there
    own.method as own_method,                               -- what the key is of the account, see account_key
    owner.method as crm_method,                             -- what it is of the CRM's account, see key_owner
    own.key,                                                -- the key
    greatest(own.known_at, owner.owned_from) as known_at,   -- UTC; since when both have it, and of the CRM one alone
    owner.owned_until                                       -- UTC; until when it means that one alone; null: to this day
from own
join owner
    on owner.key = own.key
    and owner.source_system <> own.source_system
    and case
        when own.method in ('vat', 'ean') then owner.method = own.method
        when own.method in ('domain', 'email_domain') then owner.method in ('domain', 'email_domain')
        -- A customer number in two systems; a short one may be two systems' own running numbers.
        when owner.method = 'external_id' then length(own.key) >= 6
        else own.method = 'external_id' and owner.method = 'id'
    end
where not own.is_master
    or owner.first_known_at < own.first_known_at
    or (owner.first_known_at = own.first_known_at and owner.rank < own.rank)
