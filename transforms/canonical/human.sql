-- grain: person_id
-- One identity per human over all systems: people with the same address are one.
select
    person_id,                                          -- a person as one system knows them
    side,                                               -- vendor or customer
    coalesce(email_hash, person_id) as human_id,        -- the human: the address's hash, else the system's own id
    is_shared                                           -- no human: a bot or a shared mailbox
from canonical.person
