-- severity: warning
-- A file that no contract knows, or that cannot be read, adds nothing; `mutual-value check` says what is wrong with it.
select system, status, left(sha256, 12) as sha256, member
from audit.file
where status in ('unrecognised', 'unreadable')
