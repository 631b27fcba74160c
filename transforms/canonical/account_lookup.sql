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
)
select
    source_system,                              -- the system
    source_account_id,                          -- the account's id there, or its name
    account_id                                  -- the company; null when unmatched
from canonical.account_xref
union all
select named.source_system, named.name, named.account_id
from named
left join canonical.account_xref as xref
    on xref.source_system = named.source_system and xref.source_account_id = named.name
where xref.source_account_id is null
