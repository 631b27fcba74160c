-- grain: usage_id
-- Product usage as recorded per day and feature. The source's own id may repeat; each recorded row counts once.
select
    usage.source_system || ':' || usage.source_id as usage_id,      -- system:id
    coalesce(xref.account_id, subscription.account_id) as account_id,   -- the company; null when unmatched
    usage.used_on as day,                                               -- day of use
    cast(date_trunc('month', usage.used_on) as date) as month,          -- its month
    usage.feature,                                                      -- feature
    usage.quantity                                                      -- times used
from staged.usage as usage
left join canonical.account_lookup as xref
    on xref.source_system = usage.source_system and xref.source_account_id = usage.source_account_id
cross join setting.run as run
left join canonical.subscription as subscription
    on subscription.subscription_id = usage.source_system || ':' || usage.subscription_source_id
where not coalesce(usage.is_deleted, false) and usage.used_on <= run.as_of
