-- grain: system, entity
-- How much of what each system delivered belongs to a known company. Under .8 of tickets, activities or revenue, all
-- systems together, the measures that rest on them are thin (account_unmatched).
select
    source_system as system,                                        -- the system
    entity,                                                         -- account, ticket, activity (that names a company, person or deal), revenue
    total,                                                          -- their number; of revenue the amount invoiced and credited, in the project's currency
    matched,                                                        -- of it with a known company
    cast(matched / nullif(total, 0) as double) as matched_share     -- 0-1; null where the total is 0
from canonical.matching
