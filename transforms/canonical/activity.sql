-- grain: activity_id
-- Meetings, calls, mails, notes and tasks with their company. Texts stay out; their meaning is in canonical.signal.
-- One that names no company is its deal's, else its person's.
with told as (
    -- What the words say, of several purposes the more telling one: a renewal that is also a status is a renewal.
    select
        signal.entity_id,
        min_by(purpose.purpose, purpose.rank) as purpose
    from canonical.signal as signal
    join setting.purpose as purpose on purpose.class = signal.class
    where signal.entity = 'activity'
    group by signal.entity_id
)
select
    activity.source_system || ':' || activity.source_id as activity_id,             -- system:id
    activity.source_system,                                                             -- the system
    coalesce(
        xref.account_id, opportunity.account_id, person.account_id
    ) as account_id,                                                                    -- the company; null when unmatched
    activity.source_account_id is not null or opportunity.account_id is not null
        or activity.opportunity_source_id is not null or person.person_id is not null as names_company, -- it names a company, a deal or a customer's person
    activity.kind,                                                                      -- meeting, call, email, note, task
    activity.started_at,                                                                -- UTC
    local_day(activity.started_at, run.timezone) as day,                                -- day in the project's zone
    local_month(activity.started_at, run.timezone) as month,                            -- its month
    -- Few people ever close a meeting: one that is still planned when its day is over was held or not, nobody says.
    case
        when activity.kind = 'meeting' and activity.status = 'planned' then 'unknown' else coalesce(activity.status, 'unknown')
    end as status,                                                                      -- held, planned, cancelled, no_show, unknown
    coalesce(activity.initiated_by, 'unknown') as initiated_by,                         -- vendor, customer, unknown
    coalesce(activity.purpose, told.purpose, 'unknown') as purpose,                     -- review, planning, co_design, training, support, negotiation, dunning, social, unknown
    case
        when activity.purpose is not null then 'field'
        when told.purpose is not null then 'rule'
        else 'unknown'
    end as purpose_source,                                                              -- field of the source, rule (the lexicon), unknown
    person_key(activity.source_system, activity.person_source_id) as customer_person_id, -- the customer's person
    person_key(activity.source_system, activity.owner_source_id) as vendor_person_id, -- our person
    activity.thread_id,                                                                 -- mails of one thread share it
    became_known(
        activity.known_at, first.first_known_at, coalesce(activity.created_at, activity.started_at)
    ) as known_at,                                                                      -- when it became known, UTC
    greatest(
        local_month(activity.started_at, run.timezone),
        local_month(
            became_known(
                activity.known_at, first.first_known_at, coalesce(activity.created_at, activity.started_at)
            ),
            run.timezone
        )
    ) as known_month                                                                    -- first month whose windows may count it
from staged.activity as activity
cross join setting.run as run
join canonical.first_landing as first on first.source_system = activity.source_system
left join canonical.account_lookup as xref
    on xref.source_system = activity.source_system and xref.source_account_id = activity.source_account_id
left join canonical.opportunity as opportunity
    on opportunity.opportunity_id = activity.source_system || ':' || activity.opportunity_source_id
left join canonical.person as person
    on person.person_id = person_key(activity.source_system, activity.person_source_id) and person.side = 'customer'
left join told on told.entity_id = activity.source_system || ':' || activity.source_id
where not coalesce(activity.is_deleted, false)
    and local_day(activity.started_at, run.timezone) <= run.as_of
