-- grain: account_id
-- The companies: the CRM's accounts that are not deleted.
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
    account.source_system || ':' || account.owner_source_id as owner_id, -- our account manager (person_id)
    case
        when account.parent_source_id is not null then account.source_system || ':' || account.parent_source_id
    end as parent_id,                                                       -- the parent company's account_id
    account.lifecycle,                                                      -- prospect, customer, former, unknown
    account.customer_since,                                                 -- as the CRM says; may be null
    account.created_at                                                      -- UTC
from staged.account as account
join setting.system as system on system.system = account.source_system
where system.kind = 'crm' and not coalesce(account.is_deleted, false)
