-- grain: entity, entity_id, class
-- What the subjects and tags of contacts say, by the declared lexicon (transforms/lexicon.yml). A text without any stem
-- has no row.
with contact as (
    select
        'ticket' as entity,
        source_system || ':' || source_id as entity_id,
        lower(concat_ws(' ', subject, array_to_string(tags, ' '))) as words
    from staged.ticket
    union all
    select 'activity', source_system || ':' || source_id, lower(subject)
    from staged.activity
),
-- One look with all stems first: most subjects have none.
hit as (
    select entity, entity_id, unnest(signals(words)) as class from contact where has_signal(words)
)
select
    entity,                     -- ticket or activity
    entity_id,                  -- ticket_id or activity_id
    class                       -- discount_request, dispute, co_design, pilot, ... (the lexicon's classes)
from hit
