-- grain: account_id, month
-- Whether the whole and each single person got something: the mean rating of the people at the customer times the rating
-- that nine in ten of them exceed, as a geometric mean. Of fewer than 5 people nothing is told but their number.
with rating as (
    select ticket.account_id, ticket.month, ticket.requester_id as person_id, ticket.csat as score
    from canonical.ticket as ticket
    where ticket.csat is not null and ticket.account_id is not null and ticket.requester_id is not null
    union all
    select response.account_id, response.month, response.person_id, response.score
    from canonical.survey_response as response
    left join canonical.ticket as ticket on ticket.ticket_id = response.ticket_id
    where response.instrument = 'csat' and response.score is not null and response.account_id is not null
        and response.person_id is not null and ticket.ticket_id is null
),
person as (
    select
        value_window.account_id,
        value_window.month,
        rating.person_id,
        cast(sum(exact(rating.score)) as double) / count(*) as score
    from value.window as value_window
    join rating
        on rating.account_id = value_window.account_id
        and rating.month between value_window.window_start and value_window.window_end
    group by value_window.account_id, value_window.month, rating.person_id
),
spread as (
    select
        account_id,
        month,
        count(*) as people,
        cast(sum(exact(score)) as double) / count(*) as mean,
        quantile_disc(score, 0.1) as lowest_tenth
    from person
    group by account_id, month
)
select
    account_id,                                                     -- the company
    month,                                                          -- the month that the value stands for
    cast(null as double) as numerator,                              -- none: a mean would tell of single people
    cast(null as double) as denominator,                            -- none
    people as n,                                                    -- the evidence: people who gave a rating
    case when people >= 5 then sqrt(mean * lowest_tenth) end as raw_value, -- 0-1; null under 5 people
    cast(null as double) as raw_error                               -- not known
from spread
