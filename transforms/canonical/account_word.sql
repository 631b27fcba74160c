-- grain: source_system, source_account_id, word
-- The word with which each name that an account ever had begins, in letters that a domain may have: where an address
-- has it at the beginning of its domain, the domain is the account's own and not its bookkeeper's.
with named as (
    select source_system, source_id as source_account_id, unnest(lead_words(name)) as word, known_at
    from staged.account_version
)
select
    source_system,                              -- the system
    source_account_id,                          -- the account's id there
    word,                                       -- lower case, three letters or more, no legal form
    min(known_at) as known_at                   -- UTC; since when it is known
from named
where word is not null
group by source_system, source_account_id, word
