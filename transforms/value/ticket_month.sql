-- grain: account_id, month
-- What the customer's tickets of a month came to, as counts that add up over months.
select
    account_id,                                                     -- the company
    month,                                                          -- month of creation
    count(csat) as rated,                                           -- ratings given
    count(case when csat >= 0.75 then 1 end) as good,               -- good ones: good, or 4 and 5 of 5
    count(case when solved_at is not null and reopens is not null then 1 end) as solved, -- solved, reopenings recorded
    count(case when solved_at is not null and reopens > 0 then 1 end) as reopened -- of them reopened
from canonical.ticket
where account_id is not null
group by account_id, month
