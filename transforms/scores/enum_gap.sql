-- grain: measure_id
-- Measures that rest on a field of which no value is known: the source has it and fills it, with words of its own that
-- the contract does not map. A 0 would then say only that nobody translated them.
with said as (
    select
        'mutual_responsibility' as measure_id,
        count(*) as records,
        count(case when owner_side <> 'unknown' then 1 end) as known
    from canonical.plan_action
    union all
    select 'voluntary_initiative', count(*), count(case when initiated_by <> 'unknown' then 1 end) from canonical.activity
    union all
    select 'forward_openness', count(*), count(case when kind <> 'unknown' then 1 end) from canonical.relationship_event
    union all
    select 'unilateral_change', count(*), count(case when kind <> 'unknown' then 1 end) from canonical.relationship_event
    union all
    select 'tender_rate', count(*), count(case when type <> 'unknown' then 1 end) from canonical.opportunity
    union all
    select 'own_viewpoint', count(*), count(case when beneficiary <> 'unknown' then 1 end) from canonical.goal
)
select
    measure_id,                                 -- the measure
    'enum_unmapped' as reason                   -- why it may not speak
from said
where records > 0 and known = 0
