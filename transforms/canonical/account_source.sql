-- grain: source_system, source_account_id
-- Every account of every system as that system has it today. What certain keys say of it is in account_key.
with first_version as (
    select source_system, source_id, min(known_at) as known_at from staged.account_version group by source_system, source_id
)
select
    account.source_system,                                  -- the system
    account.source_id as source_account_id,                 -- the account's id in that system
    system.kind = 'crm' as is_master,                       -- a CRM's accounts are the companies; others are matched to them
    account.name,                                           -- the company's name there
    account.external_id,                                    -- another system's id of it, as entered
    vat_number(account.vat, account.country) as vat,        -- VAT number behind its country's code; null where its check digit is wrong
    location_number(account.ean) as ean,                    -- 13 digits; null where its check digit is wrong
    account.country,                                        -- as the system has it
    first_version.known_at as first_known_at,               -- UTC; the time of the first drop that had it
    account.created_at,                                     -- UTC
    coalesce(account.is_deleted, false) as is_deleted       -- the system says that it was deleted
from staged.account as account
join setting.system as system on system.system = account.source_system
join first_version on first_version.source_system = account.source_system and first_version.source_id = account.source_id
