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
    select
        entity,
        entity_id,
        unnest(list_concat(
            signals(words),
            -- Public buyers have to call for tenders (directive 2014/24/EU): that is law, and no wish to save.
            case
                when regexp_matches(
                    words,
                    '(eu-udbud|offentligt? udbud|udbudslov|udbudspligt|begrænset udbud|ski-aftale|ski[- ]?udbud'
                    '|public tender|public procurement|statutory tender|eu tender)'
                ) then ['statutory']
                else []
            end
        )) as class
    from contact
    where has_signal(words)
    union all
    -- What a field says needs no words.
    select 'ticket', source_system || ':' || source_id, 'dispute' from staged.ticket where type = 'price_dispute'
    union all
    select 'opportunity', source_system || ':' || source_id, 'tender' from staged.opportunity where has_rfp
    union all
    -- Machines begin their subjects alike: RFC 3834 (`Auto:`), Outlook and Gmail in English and Danish, mail servers.
    select entity, entity_id, 'automatic'
    from contact
    where regexp_matches(
        words,
        '^(auto: |auto-?reply|autosvar|automatic reply|automatisk svar|automatisk besked|out of (the )?office'
        '|ikke til stede|ikke på kontoret|fraværende: |undeliverable|uleverbar|kan ikke leveres'
        '|delivery status notification|mail delivery|returned mail)'
    )
)
select distinct
    entity,                     -- ticket, activity or opportunity
    entity_id,                  -- ticket_id, activity_id or opportunity_id
    class                       -- discount_request, dispute, co_design, pilot, ... (the lexicon's classes); automatic, statutory
from hit
