-- grain: person_id
-- People of both sides without their names: an address is kept as a hash only.
select
    person.source_system || ':' || person.source_id as person_id,   -- system:id
    person.source_system,                                               -- the system
    person.side,                                                        -- vendor or customer
    xref.account_id,                                                    -- the customer person's company
    sha256(lower(trim(person.email))) as email_hash,                    -- SHA-256 of the lower-case address
    coalesce(
        person.is_shared,
        regexp_matches(lower(person.email), '^(no-?reply|do-?not-?reply|mailer-daemon|info|support|kontakt|post|mail|faktura|invoice|bogholderi|admin)@'),
        false
    ) as is_shared                                                      -- a bot, a no-reply address or a shared mailbox: no person
from staged.person as person
left join canonical.account_lookup as xref
    on xref.source_system = person.source_system and xref.source_account_id = person.source_account_id
where not coalesce(person.is_deleted, false)
