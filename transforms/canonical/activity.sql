-- grain: activity_id
-- Meetings, calls, mails, notes and tasks with their company. Texts stay out; their meaning is in canonical.signal.
select
    activity.source_system || ':' || activity.source_id as activity_id,             -- system:id
    activity.source_system,                                                             -- the system
    xref.account_id,                                                                    -- the company; null when unmatched
    activity.kind,                                                                      -- meeting, call, email, note, task
    activity.started_at,                                                                -- UTC
    local_day(activity.started_at, run.timezone) as day,                                -- day in the project's zone
    local_month(activity.started_at, run.timezone) as month,                            -- its month
    coalesce(activity.status, 'unknown') as status,                                     -- held, planned, cancelled, no_show, unknown
    coalesce(activity.initiated_by, 'unknown') as initiated_by,                         -- vendor, customer, unknown
    activity.purpose,                                                                   -- where the source has a field for it
    activity.source_system || ':' || activity.person_source_id as customer_person_id, -- the customer's person
    activity.source_system || ':' || activity.owner_source_id as vendor_person_id,  -- our person
    activity.thread_id,                                                                 -- mails of one thread share it
    case
        when activity.landed_at = first.first_landed_at then coalesce(activity.created_at, activity.started_at)
        else activity.landed_at
    end as known_at                                                                     -- when it became known, UTC
from staged.activity as activity
cross join setting.run as run
join canonical.first_landing as first on first.source_system = activity.source_system
left join canonical.account_xref as xref
    on xref.source_system = activity.source_system and xref.source_account_id = activity.source_account_id
where not coalesce(activity.is_deleted, false)
    and local_day(activity.started_at, run.timezone) <= run.as_of
