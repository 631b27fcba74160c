-- severity: critical
-- Every record of a landed file is loaded, quarantined or ignored, and counted once; what is not accounted for was lost.
select
    system,
    entity,
    left(sha256, 12) as sha256,
    member,
    rows_in,
    rows_loaded,
    rows_quarantined,
    rows_ignored
from audit.file
where (rows_in is null and status = 'landed')
    or rows_in is distinct from rows_loaded + rows_quarantined + rows_ignored
