-- severity: warning
-- More than one in twenty of a file's records did not fit the contract: rather a changed export than dirty rows.
select system, entity, left(sha256, 12) as sha256, member, rows_in, rows_quarantined
from audit.file
where rows_quarantined > 0.05 * rows_in
