-- grain: source_system, source_account_id, domain
-- The business domains of each account: from its website, declared domains, e-mail address and its people's addresses.
select distinct
    source_system,                              -- the system
    source_account_id,                          -- the account's id there
    key as domain                               -- the registered domain, without hosts
from canonical.account_key
where method in ('domain', 'email_domain')
