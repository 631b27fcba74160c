-- grain: system, source_account_id
-- Which company each account of each system was taken for, and by what key; also the CRM's own and the unmatched.
select
    source_system as system,        -- the system
    source_account_id,              -- the account's id there
    account_id,                     -- the company; null when unmatched
    method,                         -- exact_id (its own), manual (identity/links.csv), merged, external_id, vat, ean, domain, email_domain; conflict or unmatched where it is not known
    probability,                    -- 1 for a certain key or a decision; null when unmatched
    linked_at,                      -- UTC; since when a key says so, or the day of the decision; null for its own id
    contradicting_id                -- another company that its keys name today: a person should look; null: none
from canonical.account_xref
