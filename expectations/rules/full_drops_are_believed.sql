-- severity: warning
-- A full export with far fewer records than the one before deletes nothing: it was cut short, or something happened that
-- a person should know of.
select system, entity, drop_at, records, records_before
from audit.full_drop
where not is_believed
