-- grain: measure_id
-- Until which day the exports that a measure rests on were collected: after it a zero only means that nobody exported.
with collected as (
    select connected.table_name, max(coverage.as_of) as day
    from (select distinct system, entity, table_name from setting.connected) as connected
    join audit.coverage as coverage on coverage.system = connected.system and coverage.entity = connected.entity
    group by connected.table_name
),
need as (
    -- Of the tables of one need any one will do.
    select source.measure_id, source.need, max(collected.day) as day
    from setting.measure_source as source
    join collected on collected.table_name = source.table_name
    group by source.measure_id, source.need
)
select
    measure_id,                                 -- the measure
    min(day) as known_until                     -- day of the newest drop that has all of it
from need
group by measure_id
