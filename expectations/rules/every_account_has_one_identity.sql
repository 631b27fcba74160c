-- severity: critical
-- Each account of each system is in audit.identity exactly once, matched or not; one that is missing would take its
-- tickets and invoices with it unseen, one that is there twice would count them twice.
with found as (
    select system, source_account_id, count(*) as identities
    from audit.identity
    group by system, source_account_id
)
select
    coalesce(account.source_system, found.system) as system,
    coalesce(account.source_account_id, found.source_account_id) as source_account_id,
    coalesce(found.identities, 0) as identities
from canonical.account_source as account
full join found on found.system = account.source_system and found.source_account_id = account.source_account_id
where account.source_account_id is null or coalesce(found.identities, 0) <> 1
