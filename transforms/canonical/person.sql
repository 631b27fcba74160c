-- grain: person_id
-- People of both sides without their names: an address is kept as a hash only, made with the project's key.
select
    person_key(person.source_system, person.source_id) as person_id,    -- system:id; an id that is an address or its hash is hashed
    person.source_system,                                               -- the system
    person.side,                                                        -- vendor or customer
    xref.account_id,                                                    -- the customer person's company
    keyed_hash(person.email) as email_hash,                             -- HMAC-SHA256 of the lower-case address, with the project's key
    coalesce(
        person.is_shared,
        regexp_matches(lower(person.email), '^(no-?reply|do-?not-?reply|mailer-daemon|info|support|kontakt|post|mail|faktura|invoice|bogholderi|admin)@'),
        false
    ) as is_shared                                                      -- a bot, a no-reply address or a shared mailbox: no person
from staged.person as person
left join canonical.account_lookup as xref
    on xref.source_system = person.source_system and xref.source_account_id = person.source_account_id
where not coalesce(person.is_deleted, false)
