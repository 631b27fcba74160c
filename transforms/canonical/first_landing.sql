-- grain: source_system
-- When each system was first known. What came in that first drop was known before we existed, so its own creation
-- time counts as the time when it became known; everything later became known with its first drop.
select
    system as source_system,                -- the system
    min(known_at) as first_known_at         -- UTC; the time of its first drop
from audit.file
where known_at is not null
group by system
