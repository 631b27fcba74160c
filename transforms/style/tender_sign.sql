-- grain: entity, entity_id
-- Where a customer asked others as well: deals that are or speak of a tender, RFP or benchmark, and contacts that do.
with signed as (
    select
        entity,
        entity_id,
        bool_or(class = 'statutory') as is_statutory
    from canonical.signal
    where class in ('tender', 'statutory')
    group by entity, entity_id
)
select
    signed.entity,                                                          -- opportunity, activity or ticket
    signed.entity_id,                                                       -- its id
    coalesce(opportunity.account_id, activity.account_id, ticket.account_id) as account_id, -- the company
    coalesce(opportunity.created_on, activity.day, ticket.day) as day,      -- day on which it showed
    coalesce(
        cast(date_trunc('month', opportunity.created_on) as date), activity.known_month, ticket.known_month
    ) as known_month,                                                       -- first month whose windows may count it
    signed.is_statutory,                                                    -- by law, not by wish
    coalesce(opportunity.type = 'renewal', false) as is_renewal             -- a renewal's own sign
from signed
left join canonical.opportunity as opportunity
    on signed.entity = 'opportunity' and opportunity.opportunity_id = signed.entity_id
left join canonical.activity as activity on signed.entity = 'activity' and activity.activity_id = signed.entity_id
left join canonical.ticket as ticket on signed.entity = 'ticket' and ticket.ticket_id = signed.entity_id
where coalesce(opportunity.account_id, activity.account_id, ticket.account_id) is not null
