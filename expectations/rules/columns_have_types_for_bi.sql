-- severity: critical
-- What people and BI tools read holds only types that their drivers know: no HUGEINT (DuckDB's sum of integers), LIST,
-- STRUCT, MAP, UUID, ENUM, INTERVAL, TIME, unsigned or TIMESTAMP WITH TIME ZONE.
select table_schema || '.' || table_name as table_name, column_name, data_type
from information_schema.columns
where table_schema in ('mart', 'audit')
    and data_type not in ('VARCHAR', 'BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'FLOAT', 'DOUBLE', 'DATE', 'TIMESTAMP')
    and not regexp_matches(data_type, '^DECIMAL\([0-9]+,[0-9]+\)$')
