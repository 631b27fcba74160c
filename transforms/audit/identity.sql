-- grain: system, source_account_id
-- Which company each account of each system was taken for, and by what key; also the CRM's own and the unmatched.
select
    source_system as system,        -- the system
    source_account_id,              -- the account's id there
    account_id,                     -- the company; null when unmatched
    method,                         -- exact_id, merged, external_id, vat, domain; conflict or unmatched where it is not known
    probability                     -- 1 for a certain key; null when unmatched
from canonical.account_xref
