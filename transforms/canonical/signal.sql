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
    select contact.entity, contact.entity_id, contact.words
    from contact
    cross join setting.lexicon as lexicon
    where lexicon.class = 'any' and regexp_matches(contact.words, lexicon.pattern)
)
select
    hit.entity,                 -- ticket or activity
    hit.entity_id,              -- ticket_id or activity_id
    lexicon.class               -- discount_request, dispute, co_design, pilot, ... (the lexicon's classes)
from hit
cross join setting.lexicon as lexicon
where lexicon.class <> 'any' and regexp_matches(hit.words, lexicon.pattern)
