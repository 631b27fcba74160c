-- grain: account_id, month
-- Net promoter score of the window's answers: promoters (9 and 10) less detractors (0 to 6), in points. Its error is that
-- of a difference of two shares of one sample; at 5 answers the half-width of its interval is some 68 points, so under 50
-- there is no value, and what was counted is published beside its interval.
with monthly as (
    select
        account_id,
        month,
        count(*) as answers,
        count(case when score >= 9 then 1 end) as promoters,
        count(case when score <= 6 then 1 end) as detractors
    from canonical.survey_response
    where instrument = 'nps' and score between 0 and 10 and account_id is not null
    group by account_id, month
),
in_window as (
    select
        value_window.account_id,
        value_window.month,
        cast(sum(monthly.answers) as bigint) as answers,
        sum(monthly.promoters) / sum(monthly.answers) as promoters,
        sum(monthly.detractors) / sum(monthly.answers) as detractors
    from value.window as value_window
    join monthly
        on monthly.account_id = value_window.account_id
        and monthly.month between value_window.window_start and value_window.window_end
    group by value_window.account_id, value_window.month
)
select
    account_id,                                                     -- the company
    month,                                                          -- the month that the value stands for
    100 * (promoters - detractors) * answers as numerator,          -- points times answers, which add up over accounts
    cast(answers as double) as denominator,                         -- answers
    answers as n,                                                   -- the evidence: answers
    100 * (promoters - detractors) as raw_value,                    -- points, -100 to 100
    100 * sqrt((promoters + detractors - power(promoters - detractors, 2)) / answers) as raw_error -- its standard error
from in_window
