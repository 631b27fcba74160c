-- grain: account_id
-- The companies: the CRM's accounts. One that was deleted stays while a bill or subscription is its own: to forget the
-- customers that left would make every relationship look lasting. One that was merged is the one that is left.
with billed as (
    select account_id from canonical.invoice where account_id is not null
    union
    select account_id from canonical.subscription where account_id is not null
)
select
    account.source_system || ':' || account.source_id as account_id,    -- system:id of the master account
    account.name,                                                           -- company name
    account.segment,                                                        -- the CRM's segment
    account.industry,                                                       -- the CRM's industry
    account.country,                                                        -- country
    account.region,                                                         -- region
    account.sla_tier,                                                       -- service level
    account.product,                                                        -- main product
    account.employees,                                                      -- number of employees
    account.seats,                                                          -- seats as recorded today
    person_key(account.source_system, account.owner_source_id) as owner_id, -- our account manager (person_id)
    case
        when account.parent_source_id is not null then account.source_system || ':' || account.parent_source_id
    end as parent_id,                                                       -- the parent company's account_id
    account.lifecycle,                                                      -- prospect, customer, former, unknown
    account.customer_since,                                                 -- as the CRM says; may be null
    account.created_at,                                                     -- UTC
    case
        when coalesce(account.is_deleted, false) then coalesce(account.deleted_reason, 'deleted_in_source')
    end as deleted_reason                                                   -- deleted_in_source, absent_from_full_export; null: it is there
from staged.account as account
join canonical.account_survivor as survivor
    on survivor.source_system = account.source_system and survivor.source_account_id = account.source_id
left join billed on billed.account_id = account.source_system || ':' || account.source_id
where survivor.account_id = account.source_system || ':' || account.source_id
    and (not coalesce(account.is_deleted, false) or billed.account_id is not null)
