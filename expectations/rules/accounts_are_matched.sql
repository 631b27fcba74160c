-- severity: warning
-- More than a fifth of a system's accounts belong to no company: what they bought and asked is missing from the scores.
-- A person's decisions in identity/links.csv match them.
select
    system,
    count(*) as accounts,
    count(*) filter (where account_id is null) as unmatched
from audit.identity
group by system
having count(*) filter (where account_id is null) > 0.2 * count(*)
