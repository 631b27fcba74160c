-- grain: event_id
-- Typed events in which a customer took part in making the product.
select
    event.source_system || ':' || event.source_id as event_id,      -- system:id
    xref.account_id,                                                    -- the company; null when unmatched
    event.kind,                                                         -- beta, pilot, design_session, feature_shipped, reference, ...
    local_day(event.occurred_at, run.timezone) as day,                  -- day in the project's zone
    local_month(event.occurred_at, run.timezone) as month,              -- its month
    greatest(
        local_month(event.occurred_at, run.timezone),
        local_month(
            became_known(event.known_at, first.first_known_at, coalesce(event.created_at, event.occurred_at)), run.timezone
        )
    ) as known_month                                                    -- first month whose windows may count it
from staged.cocreation_event as event
cross join setting.run as run
join canonical.first_landing as first on first.source_system = event.source_system
left join canonical.account_lookup as xref
    on xref.source_system = event.source_system and xref.source_account_id = event.source_account_id
where not coalesce(event.is_deleted, false)
    and local_day(event.occurred_at, run.timezone) <= run.as_of
