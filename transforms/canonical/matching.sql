-- grain: source_system, entity
-- How much of what each system delivered belongs to a known company: accounts, tickets, contacts, and what was invoiced.
-- A contact that names nobody's company, person or deal (our own people among themselves, say) is not counted.
with counted as (
    select source_system, 'account' as entity, 1 as amount, account_id from canonical.account_xref
    union all
    select source_system, 'ticket', 1, account_id from canonical.ticket
    union all
    select source_system, 'activity', 1, account_id from canonical.activity where account_id is not null or names_company
    union all
    select source_system, 'revenue', abs(net_base), account_id from canonical.invoice where net_base is not null
)
select
    source_system,                                                                          -- the system
    entity,                                                                                 -- account, ticket, activity, revenue
    cast(sum(amount) as decimal(18, 2)) as total,                                           -- their number; of revenue the amount invoiced and credited, in the project's currency
    cast(coalesce(sum(amount) filter (where account_id is not null), 0) as decimal(18, 2)) as matched -- of it with a known company
from counted
group by source_system, entity
