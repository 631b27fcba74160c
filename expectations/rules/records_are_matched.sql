-- severity: warning
-- More than a fifth of all tickets, contacts or revenue belongs to no known company: what rests on it is thin
-- (account_unmatched) for every account. `mutual-value links` shows which accounts to decide first.
select
    entity,
    sum(total) as total,
    sum(total - matched) as unmatched
from audit.matching
where entity <> 'account'
group by entity
having sum(matched) < 0.8 * sum(total)
