-- grain: measure_id
-- Why a measure cannot exist in this project at all: no source for a table that it needs, none with the column, or
-- only with values that do not fit its contract, or with days of which nobody knows whether day or month comes first; or
-- why it may not speak: one column of an export feeds it and the style of the relationship alike, or more than a fifth
-- of what it rests on belongs to no known company.
with failed as (
    select distinct column_name from audit.quarantine where column_name <> ''
),
ambiguous as (
    -- The day by which a table's records fall into a window counts for whatever rests on the table.
    select distinct source.measure_id
    from setting.measure_source as source
    join setting.ambiguous_date as ambiguous
        on ambiguous.table_name = source.table_name
        and (ambiguous.column_name = source.column_name or ambiguous.is_event_time)
),
need as (
    select
        source.measure_id,
        bool_or(connected.table_name is not null) as is_connected,
        bool_or(coalesce(connected.is_present and connected.column_name = source.column_name, false)) as has_column,
        bool_or(coalesce(connected.column_name = source.column_name and connected.fill_share > 0, false)) as has_values,
        bool_or(failed.column_name is not null) as has_failed
    from setting.measure_source as source
    left join setting.connected as connected on connected.table_name = source.table_name
    left join failed on failed.column_name = source.table_name || '.' || source.column_name
    -- Of the columns of one need any one will do.
    group by source.measure_id, source.need
),
missing as (
    select
        need.measure_id,
        case
            when not bool_and(need.is_connected) then 'source_not_connected'
            when not bool_and(need.has_column) then 'column_absent'
            when bool_or(ambiguous.measure_id is not null) then 'ambiguous_date'
            when bool_or(not need.has_values and need.has_failed) then 'unparseable'
            when not bool_and(need.has_values) then 'column_empty'
        end as reason
    from need
    left join ambiguous on ambiguous.measure_id = need.measure_id
    group by need.measure_id
),
unmatched as (
    select entity from canonical.matching group by entity having sum(matched) < 0.8 * sum(total)
),
rests as (
    select
        measure_id,
        case when table_name in ('invoice', 'invoice_line', 'payment') then 'revenue' else table_name end as entity
    from setting.measure_source
),
unreliable as (
    select distinct rests.measure_id from rests join unmatched on unmatched.entity = rests.entity
)
select
    measure.measure_id,                                                     -- the measure
    case
        when missing.reason is not null then missing.reason
        -- What an hour of support costs is in no export: [costs] support_hour.
        when measure.measure_id = 'contribution_margin' and run.support_hour is null then 'source_not_connected'
        when shared.measure_id is not null then 'firewall_shared_column'
        when unreliable.measure_id is not null then 'account_unmatched'
    end as reason                                                           -- null where nothing is missing
from setting.measure as measure
cross join setting.run as run
left join missing on missing.measure_id = measure.measure_id
left join unreliable on unreliable.measure_id = measure.measure_id
left join (select distinct measure_id from setting.leak) as shared on shared.measure_id = measure.measure_id
