-- grain: account_id, month
-- Medians of answering and resolving times of the tickets created in the window, as things stood at its end: what was
-- answered or solved later, or not at all, is censored there. To leave it out would make a slow supplier look quick.
-- (E. L. Kaplan, P. Meier, JASA 53, 1958.) A ticket that was solved without an answer waited for one until then. Of
-- business minutes it is only known that a ticket still waits: it counts as longer than all that do not. The standard
-- error of a median is, on the logarithm, 1.2533 sd / sqrt(n) (exact for the normal); a minute is added, since an answer
-- may come at once.
with asked as (
    select
        account_id,
        month,
        created_at,
        first_response_min,
        first_response_business_min,
        full_resolution_min,
        full_resolution_business_min,
        coalesce(
            solved_at,
            created_at + to_seconds(cast(round(coalesce(full_resolution_min, full_resolution_business_min) * 60) as bigint))
        ) as solved_at,
        created_at
            + to_seconds(cast(round(coalesce(first_response_min, first_response_business_min) * 60) as bigint)) as answered_at,
        -- Solved, yet not known how long it took.
        solved_at is null or full_resolution_min is not null as is_timed
    from canonical.ticket
    where account_id is not null
),
waited as (
    select
        value_window.account_id,
        value_window.month,
        asked.is_timed,
        case when asked.answered_at < cast(last_day(value_window.window_end) + 1 as timestamp) then asked.first_response_min end as answer,
        case when asked.answered_at < cast(last_day(value_window.window_end) + 1 as timestamp) then asked.first_response_business_min end as business_answer,
        case when asked.solved_at < cast(last_day(value_window.window_end) + 1 as timestamp) then asked.full_resolution_min end as solution,
        case when asked.solved_at < cast(last_day(value_window.window_end) + 1 as timestamp) then asked.full_resolution_business_min end as business_solution,
        coalesce(asked.answered_at, asked.solved_at) >= cast(last_day(value_window.window_end) + 1 as timestamp)
            or (asked.answered_at is null and asked.solved_at is null) as is_unanswered,
        coalesce(asked.solved_at >= cast(last_day(value_window.window_end) + 1 as timestamp), true) as is_unsolved,
        epoch(
            least(cast(last_day(value_window.window_end) + 1 as timestamp), asked.solved_at) - asked.created_at
        ) / 60 as observed
    from value.window as value_window
    join asked
        on asked.account_id = value_window.account_id
        and asked.month between value_window.window_start and value_window.window_end
),
-- Before the first censoring the estimate is the plain share still open, so the median is a plain quantile wherever no
-- ticket is censored before it: nearly always. Only the other account-months need the product.
plain as (
    select
        account_id,
        month,
        count(*) as tickets,
        count(answer) as answered,
        quantile_disc(coalesce(answer, 'infinity'::double), 0.5) as answer_median,
        min(case when answer is null then observed end) as answer_censored,
        sum(exact(ln(answer + 1))) as answer_log,
        sum(exact(power(ln(answer + 1), 2))) as answer_log_square,
        count(business_answer) as business_answered,
        count(case when business_answer is null and is_unanswered then 1 end) as business_unanswered,
        quantile_disc(coalesce(business_answer, case when is_unanswered then 'infinity'::double end), 0.5) as business_answer_median,
        sum(exact(ln(business_answer + 1))) as business_answer_log,
        sum(exact(power(ln(business_answer + 1), 2))) as business_answer_log_square,
        count(case when is_timed then 1 end) as solvable,
        count(solution) as solved,
        quantile_disc(coalesce(solution, case when is_timed then 'infinity'::double end), 0.5) as solution_median,
        min(case when solution is null and is_timed then observed end) as solution_censored,
        sum(exact(ln(solution + 1))) as solution_log,
        sum(exact(power(ln(solution + 1), 2))) as solution_log_square,
        count(business_solution) as business_solved,
        count(case when business_solution is null and is_unsolved then 1 end) as business_unsolved,
        quantile_disc(coalesce(business_solution, case when is_unsolved then 'infinity'::double end), 0.5) as business_solution_median,
        sum(exact(ln(business_solution + 1))) as business_solution_log,
        sum(exact(power(ln(business_solution + 1), 2))) as business_solution_log_square
    from waited
    group by account_id, month
),
event as (
    select waited.account_id, waited.month, 'answer' as what, coalesce(waited.answer, waited.observed) as minutes,
        count(waited.answer) as ended, count(*) as leaving
    from waited
    join plain on plain.account_id = waited.account_id and plain.month = waited.month
    where plain.answer_censored < plain.answer_median
    group by waited.account_id, waited.month, coalesce(waited.answer, waited.observed)
    union all
    select waited.account_id, waited.month, 'solution', coalesce(waited.solution, waited.observed),
        count(waited.solution), count(*)
    from waited
    join plain on plain.account_id = waited.account_id and plain.month = waited.month
    where plain.solution_censored < plain.solution_median and waited.is_timed
    group by waited.account_id, waited.month, coalesce(waited.solution, waited.observed)
),
at_risk as (
    select
        account_id,
        month,
        what,
        minutes,
        ended,
        sum(leaving) over (
            partition by account_id, month, what order by minutes rows between current row and unbounded following
        ) as tickets
    from event
),
survival as (
    select
        account_id,
        month,
        what,
        minutes,
        -- The last ticket at risk being answered or solved takes the estimate to 0.
        sum(exact(case when ended = tickets then -700 else ln(1 - ended / tickets) end)) over (
            partition by account_id, month, what order by minutes
        ) as log_survival
    from at_risk
),
product_limit as (
    select account_id, month, what, min(minutes) as median_minutes
    from survival
    where log_survival <= ln(0.5) + 1e-9
    group by account_id, month, what
)
select
    plain.account_id,                                               -- the company
    plain.month,                                                    -- the month that the value stands for
    plain.tickets,                                                  -- tickets created in the window
    plain.answered,                                                 -- of them answered by the window's end
    case
        when plain.answer_censored < plain.answer_median then answer_limit.median_minutes
        when plain.answer_median < 'infinity'::double then plain.answer_median
    end as first_response,                                          -- median calendar minutes to our first answer; null while fewer than half have one
    1.2533 * sqrt(greatest(
        (plain.answer_log_square - power(plain.answer_log, 2) / nullif(plain.answered, 0)) / nullif(plain.answered - 1, 0), 0
    ) / nullif(plain.answered, 0)) as first_response_error,         -- standard error of its ln(minutes + 1)
    plain.business_answered,                                        -- tickets with business minutes to our first answer
    plain.business_answered + plain.business_unanswered as business_answerable, -- and those that still wait for one
    case
        when plain.business_answer_median < 'infinity'::double then plain.business_answer_median
    end as first_response_business,                                 -- median business minutes to our first answer
    1.2533 * sqrt(greatest(
        (plain.business_answer_log_square - power(plain.business_answer_log, 2) / nullif(plain.business_answered, 0))
            / nullif(plain.business_answered - 1, 0), 0
    ) / nullif(plain.business_answered, 0)) as first_response_business_error, -- standard error of its ln(minutes + 1)
    plain.solvable,                                                 -- tickets unsolved, or solved in a known time
    plain.solved,                                                   -- of them solved by the window's end
    case
        when plain.solution_censored < plain.solution_median then solution_limit.median_minutes
        when plain.solution_median < 'infinity'::double then plain.solution_median
    end as full_resolution,                                         -- median calendar minutes to the resolution; null while fewer than half are solved
    1.2533 * sqrt(greatest(
        (plain.solution_log_square - power(plain.solution_log, 2) / nullif(plain.solved, 0)) / nullif(plain.solved - 1, 0), 0
    ) / nullif(plain.solved, 0)) as full_resolution_error,          -- standard error of its ln(minutes + 1)
    plain.business_solved,                                          -- tickets with business minutes to the resolution
    plain.business_solved + plain.business_unsolved as business_solvable, -- and those that still wait for it
    case
        when plain.business_solution_median < 'infinity'::double then plain.business_solution_median
    end as full_resolution_business,                                -- median business minutes to the resolution
    1.2533 * sqrt(greatest(
        (plain.business_solution_log_square - power(plain.business_solution_log, 2) / nullif(plain.business_solved, 0))
            / nullif(plain.business_solved - 1, 0), 0
    ) / nullif(plain.business_solved, 0)) as full_resolution_business_error -- standard error of its ln(minutes + 1)
from plain
left join product_limit as answer_limit
    on answer_limit.account_id = plain.account_id and answer_limit.month = plain.month and answer_limit.what = 'answer'
left join product_limit as solution_limit
    on solution_limit.account_id = plain.account_id and solution_limit.month = plain.month and solution_limit.what = 'solution'
