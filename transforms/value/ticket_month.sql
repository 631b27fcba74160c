-- grain: account_id, month
-- What the customer's tickets of a month came to, as counts that add up over months.
select
    account_id,                                                     -- the company
    month,                                                          -- month of creation
    count(csat) as rated,                                           -- ratings given
    count(case when csat >= 0.75 then 1 end) as good,               -- good ones: good, or 4 and 5 of 5
    count(first_response_min) as first_response_n,                 -- tickets with calendar minutes to our first answer
    sum(exact(ln(first_response_min + 1))) as first_response_log,  -- sum of ln(minutes + 1) over them
    sum(exact(power(ln(first_response_min + 1), 2))) as first_response_log_square, -- sum of its squares
    count(first_response_business_min) as first_response_business_n,                 -- tickets with business minutes to our first answer
    sum(exact(ln(first_response_business_min + 1))) as first_response_business_log,  -- sum of ln(minutes + 1) over them
    sum(exact(power(ln(first_response_business_min + 1), 2))) as first_response_business_log_square, -- sum of its squares
    count(full_resolution_business_min) as full_resolution_business_n,                 -- tickets with business minutes to the resolution
    sum(exact(ln(full_resolution_business_min + 1))) as full_resolution_business_log,  -- sum of ln(minutes + 1) over them
    sum(exact(power(ln(full_resolution_business_min + 1), 2))) as full_resolution_business_log_square, -- sum of its squares
    count(case when solved_at is not null and reopens is not null then 1 end) as solved, -- solved, reopenings recorded
    count(case when solved_at is not null and reopens > 0 then 1 end) as reopened -- of them reopened
from canonical.ticket
where account_id is not null
group by account_id, month
