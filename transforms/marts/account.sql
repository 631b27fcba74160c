-- grain: account_id
-- The companies, with what they are today.
with matched as (
    select account_id, string_agg(distinct source_system, ',' order by source_system) as systems
    from canonical.account_xref
    where account_id is not null
    group by account_id
),
today as (
    select revenue.account_id, revenue.mrr > 0 or revenue.reason is not null as is_paying, revenue.has_paid
    from value.revenue as revenue
    cross join setting.run as run
    where revenue.month = run.last_month
),
since as (
    select account_id, min(customer_month) as customer_month from canonical.account_month group by account_id
)
select
    account.account_id,                                                     -- system:id of the company in the CRM
    account.name,                                                           -- company name
    account.segment,                                                        -- the CRM's segment
    account.industry,                                                       -- industry
    account.country,                                                        -- country
    account.region,                                                         -- region
    case
        when account.employees is null then null
        when account.employees < 10 then '1-9'
        when account.employees < 50 then '10-49'
        when account.employees < 250 then '50-249'
        else '250+'
    end as size_band,                                                       -- employees, in Eurostat's size classes
    coalesce(account.customer_since, since.customer_month) as customer_since, -- first day as a customer
    case
        when today.has_paid and today.is_paying then 'active'
        when today.has_paid then 'churned'
        when today.has_paid is null and account.lifecycle in ('customer', 'former')
            then case account.lifecycle when 'customer' then 'active' else 'churned' end
        else 'prospect'
    end as status,                                                          -- active, churned, prospect: by revenue, else as the CRM says
    account.owner_id,                                                       -- our account manager's id
    matched.systems,                                                        -- systems that know the company, comma-separated
    belongs.group_id,                                                       -- account_id of the topmost parent as of the day of the run; its own without one
    account.deleted_reason                                                  -- deleted_in_source, absent_from_full_export; null: it is there
from canonical.account as account
left join matched on matched.account_id = account.account_id
cross join setting.run as run
left join canonical.account_group as belongs
    on belongs.account_id = account.account_id
    and belongs.known_from < cast(run.as_of + 1 as timestamp) and belongs.known_until >= cast(run.as_of + 1 as timestamp)
left join today on today.account_id = account.account_id
left join since on since.account_id = account.account_id
