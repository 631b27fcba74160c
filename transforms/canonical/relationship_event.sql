-- grain: event_id
-- Typed changes that one party announced to the other.
select
    event.source_system || ':' || event.source_id as event_id,      -- system:id
    xref.account_id,                                                    -- the company; null when unmatched
    event.kind,                                                         -- price_change, scope_change, volume_plan, roadmap
    event.by_side,                                                      -- vendor or customer
    event.announced_on,                                                 -- day of the announcement
    event.effective_on,                                                 -- day from which it holds
    event.joint_review_on,                                              -- day on which both reviewed it
    event.is_exempt,                                                    -- an index clause or another agreed rule
    cast(date_trunc('month', event.announced_on) as date) as month,     -- month of the announcement
    greatest(
        cast(date_trunc('month', event.announced_on) as date),
        local_month(
            became_known(
                event.known_at, first.first_known_at, coalesce(event.created_at, cast(event.announced_on as timestamp))
            ),
            run.timezone
        )
    ) as known_month                                                    -- first month whose windows may count it
from staged.relationship_event as event
cross join setting.run as run
join canonical.first_landing as first on first.source_system = event.source_system
left join canonical.account_lookup as xref
    on xref.source_system = event.source_system and xref.source_account_id = event.source_account_id
where not coalesce(event.is_deleted, false)
    and event.announced_on <= run.as_of
