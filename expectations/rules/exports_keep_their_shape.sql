-- severity: warning
-- An export that lost, renamed or changed a column, or was refused for lack of one: measures that need it go stale or
-- null from now on, while the ones of before stand.
select system, entity, columns_refused, columns_lost, columns_renamed, columns_type_changed
from audit.coverage
where concat(columns_refused, columns_lost, columns_renamed, columns_type_changed) <> ''
