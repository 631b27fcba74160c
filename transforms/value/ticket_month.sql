-- grain: account_id, month
-- What the customer's tickets of a month came to, as counts that add up over months.
with counted as (
    select
        account_id,
        month,
        count(csat) as rated,
        count(case when csat >= 0.75 then 1 end) as good,
        count(case when csat is not null or csat_state in ('offered', 'rated') then 1 end) as offered,
        count(case when solved_at is not null and reopens is not null then 1 end) as solved,
        count(case when solved_at is not null and reopens > 0 then 1 end) as reopened,
        count(case when solved_at is not null and public_replies >= 1 then 1 end) as replied,
        count(case when solved_at is not null and public_replies = 1 and coalesce(reopens, 0) = 0 then 1 end) as at_first_contact
    from canonical.ticket
    where account_id is not null
    group by account_id, month
    union all
    -- Ratings of no ticket, or of one that is in no export.
    select
        response.account_id,
        response.month,
        count(*),
        count(case when response.score >= 0.75 then 1 end),
        count(*),
        0,
        0,
        0,
        0
    from canonical.survey_response as response
    left join canonical.ticket as ticket on ticket.ticket_id = response.ticket_id
    where response.instrument = 'csat' and response.score is not null and response.account_id is not null
        and ticket.ticket_id is null
    group by response.account_id, response.month
)
select
    account_id,                                                     -- the company
    month,                                                          -- month of creation
    cast(sum(rated) as bigint) as rated,                            -- ratings given
    cast(sum(good) as bigint) as good,                              -- good ones: good, or 4 and 5 of 5
    cast(sum(offered) as bigint) as offered,                        -- asked for a rating, also those that gave one
    cast(sum(solved) as bigint) as solved,                          -- solved, reopenings recorded
    cast(sum(reopened) as bigint) as reopened,                      -- of them reopened
    cast(sum(replied) as bigint) as replied,                        -- solved with an answer of ours, answers recorded
    cast(sum(at_first_contact) as bigint) as at_first_contact       -- of them by one answer, and not reopened
from counted
group by account_id, month
