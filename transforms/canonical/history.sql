-- grain: history_id
-- Recorded changes of fields, where a source exports them; without the values, which may be names and addresses.
select
    history.source_system || ':' || history.source_id as history_id, -- system:id
    history.entity,                                                     -- what changed: account, ticket, ...
    history.source_system || ':' || history.entity_source_id as entity_id, -- its id
    history.field,                                                      -- the field
    history.changed_at,                                                 -- UTC
    history.changed_by_side                                             -- vendor or customer, where recorded
from staged.history as history
