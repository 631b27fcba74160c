-- grain: measure_id
-- Why a measure cannot exist in this project at all: no source for a table that it needs, or none with the column.
with need as (
    select
        source.measure_id,
        bool_or(connected.table_name is not null) as is_connected,
        bool_or(coalesce(connected.is_present and connected.column_name = source.column_name, false)) as has_column,
        bool_or(coalesce(connected.column_name = source.column_name and connected.fill_share > 0, false)) as has_values
    from setting.measure_source as source
    left join setting.connected as connected on connected.table_name = source.table_name
    group by source.measure_id, source.table_name, source.column_name
)
select
    measure_id,                                                             -- the measure
    case
        when not bool_and(is_connected) then 'source_not_connected'
        when not bool_and(has_column) then 'column_absent'
        when not bool_and(has_values) then 'column_empty'
    end as reason                                                           -- null where nothing is missing
from need
group by measure_id
