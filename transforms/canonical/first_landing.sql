-- grain: source_system
-- When each system was first landed. What came in that first drop was known before we existed, so its own creation
-- time counts as the time when it became known; everything later became known when it was landed.
select
    system as source_system,                -- the system
    min(landed_at) as first_landed_at       -- UTC instant of its first landing
from audit.file
where landed_at is not null
group by system
