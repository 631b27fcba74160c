-- grain: entity, entity_id, class
-- What the subjects, types and tags of contacts say, and the names of deals, by the declared lexicon
-- (transforms/lexicon.yml). A text without any stem has no row.
with contact as (
    select
        'ticket' as entity,
        source_system || ':' || source_id as entity_id,
        lower(concat_ws(' ', subject, type_raw, array_to_string(tags, ' '))) as words
    from staged.ticket
    union all
    select 'activity', source_system || ':' || source_id, lower(subject)
    from staged.activity
    union all
    select 'opportunity', source_system || ':' || source_id, lower(concat_ws(' ', name, type_raw))
    from staged.opportunity
),
-- One look with all stems first: most subjects have none.
hit as (
    select entity, entity_id, unnest(signals(words)) as class from contact where has_signal(words)
    union all
    -- What a field says needs no words.
    select 'ticket', source_system || ':' || source_id, 'dispute' from staged.ticket where type = 'price_dispute'
    union all
    select 'opportunity', source_system || ':' || source_id, 'tender' from staged.opportunity where has_rfp
)
select distinct
    entity,                     -- ticket, activity or opportunity
    entity_id,                  -- ticket_id, activity_id or opportunity_id
    class                       -- discount_request, dispute, co_design, pilot, ... (the lexicon's classes)
from hit
