-- grain: source_system, source_account_id
-- Which company (master account) each system's account is, by certain keys only: an external id, a VAT number, or a
-- business domain that belongs to one company alone. Where certain keys disagree, or none is shared, account_id is null:
-- the account stays visible and counted. A likeness of names is never used; only an export that names its own system's
-- company instead of giving its id is read by that name, where exactly one company has it.
with master as (
    select
        account.source_system,
        account.source_account_id,
        account.vat,
        account.source_system || ':' || coalesce(merge.survivor_id, account.source_account_id) as account_id,
        merge.survivor_id is not null as is_merged
    from canonical.account_source as account
    left join canonical.account_merge as merge
        on merge.source_system = account.source_system and merge.source_account_id = account.source_account_id
    where account.is_master
),
master_key as (
    select account_id, 'external_id' as method, source_account_id as key from master
    union all
    -- Salesforce writes the same id with 15 (case-sensitive) or 18 characters.
    select account_id, 'external_id', left(source_account_id, 15) from master
    where regexp_matches(source_account_id, '^[0-9A-Za-z]{18}$')
    union all
    select account_id, 'vat', vat from master where vat is not null
    union all
    select master.account_id, 'domain', domain.domain
    from master
    join canonical.account_domain as domain using (source_system, source_account_id)
),
own_key as (
    select method, key, min(account_id) as account_id
    from master_key
    group by method, key
    having count(distinct account_id) = 1
),
other_key as (
    select source_system, source_account_id, 'external_id' as method, external_id as key
    from canonical.account_source
    where not is_master and external_id is not null
    union all
    select source_system, source_account_id, 'vat', vat
    from canonical.account_source
    where not is_master and vat is not null
    union all
    select domain.source_system, domain.source_account_id, 'domain', domain.domain
    from canonical.account_domain as domain
    join canonical.account_source as account using (source_system, source_account_id)
    where not account.is_master
),
candidate as (
    select
        other_key.source_system,
        other_key.source_account_id,
        min(own_key.account_id) as account_id,
        count(distinct own_key.account_id) as companies,
        min(case other_key.method when 'external_id' then 1 when 'vat' then 2 else 3 end) as best
    from other_key
    join own_key using (method, key)
    group by other_key.source_system, other_key.source_account_id
)
select
    account.source_system,                      -- the system
    account.source_account_id,                  -- the account's id there
    case
        when account.is_master then master.account_id
        when candidate.companies = 1 then candidate.account_id
    end as account_id,                          -- the company; null where no certain key says which
    case
        when master.is_merged then 'merged'
        when account.is_master then 'exact_id'
        when candidate.companies > 1 then 'conflict'
        when candidate.best = 1 then 'external_id'
        when candidate.best = 2 then 'vat'
        when candidate.best = 3 then 'domain'
        else 'unmatched'
    end as method,                              -- exact_id, merged, external_id, vat, domain, conflict, unmatched
    case when account.is_master or candidate.companies = 1 then cast(1 as double) end as probability -- 1 for a certain key
from canonical.account_source as account
left join candidate using (source_system, source_account_id)
left join master using (source_system, source_account_id)
