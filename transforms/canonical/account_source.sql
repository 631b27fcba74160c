-- grain: source_system, source_account_id
-- Every account of every system as that system has it, with its certain keys normalised for matching.
select
    account.source_system,                                              -- the system
    account.source_id as source_account_id,                             -- the account's id in that system
    system.kind = 'crm' as is_master,                                   -- a CRM's accounts are the companies; others are matched to them
    account.name,                                                       -- the company's name there
    account.external_id,                                                -- another system's id of it, as entered
    case
        when length(regexp_replace(account.vat, '[^0-9A-Za-z]', '', 'g')) >= 8
            then regexp_replace(upper(regexp_replace(account.vat, '[^0-9A-Za-z]', '', 'g')), '^DK([0-9]{8})$', '\1', 'g')
    end as vat,                                                         -- VAT number, letters and digits; a Danish one without its prefix
    account.created_at,                                                 -- UTC
    coalesce(account.is_deleted, false) as is_deleted                   -- the system says that it was deleted
from staged.account as account
join setting.system as system on system.system = account.source_system
