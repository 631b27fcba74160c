-- grain: account_id, month
-- Work on the customer's tickets by month of creation. Contact time is left out: partners talk more, so margin would fall
-- with partnership by construction.
select
    account_id,                                             -- the company
    month,                                                  -- month of creation
    count(*) as tickets,                                    -- tickets
    count(effort_min) as recorded,                          -- of them with minutes of work recorded
    cast(sum(exact(effort_min)) as double) as effort_min    -- minutes of work
from canonical.ticket
where account_id is not null
group by account_id, month
