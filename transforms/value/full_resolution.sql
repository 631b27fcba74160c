-- grain: account_id, month
-- Kaplan-Meier median of calendar minutes to resolution (E. L. Kaplan, P. Meier, JASA 53, 1958) over the tickets of the
-- window as it stood at the window's end: a ticket solved later, or not at all, is censored there. To leave it out would
-- make a slow supplier look quick.
with ticket_time as (
    select
        value_window.account_id,
        value_window.month,
        coalesce(ticket.solved_at < cast(last_day(value_window.window_end) + 1 as timestamp), false) as is_solved,
        case
            when ticket.solved_at < cast(last_day(value_window.window_end) + 1 as timestamp) then ticket.full_resolution_min
            else epoch(cast(last_day(value_window.window_end) + 1 as timestamp) - ticket.created_at) / 60
        end as minutes
    from value.window as value_window
    join canonical.ticket as ticket
        on ticket.account_id = value_window.account_id
        and ticket.month between value_window.window_start and value_window.window_end
    where ticket.solved_at is null or ticket.full_resolution_min is not null
),
-- Before the first censoring the estimate is the plain share still open, so the median is a plain quantile wherever no
-- ticket is censored before it: nearly always. Only the other account-months need the product.
plain as (
    select
        account_id,
        month,
        count(*) as tickets,
        count(case when is_solved then 1 end) as solved,
        quantile_disc(case when is_solved then minutes else 'infinity'::double end, 0.5) as median_minutes,
        min(case when not is_solved then minutes end) as first_censored,
        sum(case when is_solved then exact(ln(minutes + 1)) end) as log_sum,
        sum(case when is_solved then exact(power(ln(minutes + 1), 2)) end) as log_square_sum
    from ticket_time
    group by account_id, month
),
event as (
    select
        ticket_time.account_id,
        ticket_time.month,
        ticket_time.minutes,
        count(case when ticket_time.is_solved then 1 end) as solved,
        count(*) as leaving
    from ticket_time
    join plain on plain.account_id = ticket_time.account_id and plain.month = ticket_time.month
    where plain.first_censored < plain.median_minutes
    group by ticket_time.account_id, ticket_time.month, ticket_time.minutes
),
at_risk as (
    select
        account_id,
        month,
        minutes,
        solved,
        sum(leaving) over (
            partition by account_id, month order by minutes rows between current row and unbounded following
        ) as tickets
    from event
),
survival as (
    select
        account_id,
        month,
        minutes,
        -- The last ticket at risk being solved takes the estimate to 0.
        sum(exact(case when solved = tickets then -700 else ln(1 - solved / tickets) end)) over (
            partition by account_id, month order by minutes
        ) as log_survival
    from at_risk
),
product_limit as (
    select account_id, month, min(minutes) as median_minutes
    from survival
    where log_survival <= ln(0.5) + 1e-9
    group by account_id, month
)
select
    plain.account_id,                                                           -- the company
    plain.month,                                                                -- the month that the value stands for
    cast(plain.solved as double) as numerator,                                  -- tickets solved by the window's end
    cast(plain.tickets as double) as denominator,                               -- tickets created in the window
    plain.tickets as n,                                                         -- the evidence: tickets
    case
        when plain.first_censored < plain.median_minutes then product_limit.median_minutes
        when plain.median_minutes < 'infinity'::double then plain.median_minutes
    end as raw_value,                                                           -- minutes; null while fewer than half are solved
    -- As for a median of complete times, over the solved ones.
    1.2533 * sqrt(greatest(
        (plain.log_square_sum - power(plain.log_sum, 2) / plain.solved) / nullif(plain.solved - 1, 0), 0
    ) / nullif(plain.solved, 0)) as raw_error                                   -- standard error of ln(minutes + 1)
from plain
left join product_limit on product_limit.account_id = plain.account_id and product_limit.month = plain.month
