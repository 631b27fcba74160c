-- grain: source_system, source_account_id
-- What a record may call its company, and which company that is: its id in the system, or, in exports that name the
-- company instead (Dynamics, Pipedrive, Xero), its name where exactly one account of that system has it.
with named as (
    select account.source_system, trim(account.name) as name, min(xref.account_id) as account_id
    from canonical.account_source as account
    join canonical.account_xref as xref using (source_system, source_account_id)
    where trim(account.name) <> '' and not account.is_deleted
    group by account.source_system, trim(account.name)
    having count(*) = 1
),
other as (
    select source_system, name as source_account_id, account_id from named
    union all
    -- Merged accounts that their system does not export any more; other records still name them.
    select merge.source_system, merge.source_account_id, survivor.account_id
    from canonical.account_merge as merge
    join canonical.account_xref as survivor
        on survivor.source_system = merge.source_system and survivor.source_account_id = merge.survivor_id
)
select
    source_system,                              -- the system
    source_account_id,                          -- the account's id there, or its name
    account_id                                  -- the company; null when unmatched
from canonical.account_xref
union all
select other.source_system, other.source_account_id, min(other.account_id)
from other
left join canonical.account_xref as xref
    on xref.source_system = other.source_system and xref.source_account_id = other.source_account_id
where xref.source_account_id is null
group by other.source_system, other.source_account_id
