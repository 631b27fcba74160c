-- grain: account_id, month
-- Medians of answering and resolving times over the tickets created in the window, all in one pass. The standard error of
-- a median is, on the logarithm, 1.2533 sd / sqrt(n) (exact for the normal); a minute is added, since an answer may come at
-- once. The sums behind it add up over months; medians do not.
with spread as (
    select
        value_window.account_id,
        value_window.month,
        sum(ticket_month.first_response_n) as first_response_n,
        sum(ticket_month.first_response_log) as first_response_log,
        sum(ticket_month.first_response_log_square) as first_response_log_square,
        sum(ticket_month.first_response_business_n) as first_response_business_n,
        sum(ticket_month.first_response_business_log) as first_response_business_log,
        sum(ticket_month.first_response_business_log_square) as first_response_business_log_square,
        sum(ticket_month.full_resolution_business_n) as full_resolution_business_n,
        sum(ticket_month.full_resolution_business_log) as full_resolution_business_log,
        sum(ticket_month.full_resolution_business_log_square) as full_resolution_business_log_square
    from value.window as value_window
    join value.ticket_month as ticket_month
        on ticket_month.account_id = value_window.account_id
        and ticket_month.month between value_window.window_start and value_window.window_end
    group by value_window.account_id, value_window.month
),
middle as (
    select
        value_window.account_id,
        value_window.month,
        median(ticket.first_response_min) as first_response,
        median(ticket.first_response_business_min) as first_response_business,
        median(ticket.full_resolution_business_min) as full_resolution_business
    from value.window as value_window
    join canonical.ticket as ticket
        on ticket.account_id = value_window.account_id
        and ticket.month between value_window.window_start and value_window.window_end
    group by value_window.account_id, value_window.month
)
select
    middle.account_id, -- the company
    middle.month, -- the month that the value stands for
    cast(spread.first_response_n as bigint) as first_response_n, -- tickets with calendar minutes to our first answer
    middle.first_response, -- median calendar minutes to our first answer
    1.2533 * sqrt(greatest(
        (spread.first_response_log_square - power(spread.first_response_log, 2) / nullif(spread.first_response_n, 0))
            / nullif(spread.first_response_n - 1, 0), 0
    ) / nullif(spread.first_response_n, 0)) as first_response_error, -- standard error of its ln(minutes + 1)
    cast(spread.first_response_business_n as bigint) as first_response_business_n, -- tickets with business minutes to our first answer
    middle.first_response_business, -- median business minutes to our first answer
    1.2533 * sqrt(greatest(
        (spread.first_response_business_log_square - power(spread.first_response_business_log, 2) / nullif(spread.first_response_business_n, 0))
            / nullif(spread.first_response_business_n - 1, 0), 0
    ) / nullif(spread.first_response_business_n, 0)) as first_response_business_error, -- standard error of its ln(minutes + 1)
    cast(spread.full_resolution_business_n as bigint) as full_resolution_business_n, -- tickets with business minutes to the resolution
    middle.full_resolution_business, -- median business minutes to the resolution
    1.2533 * sqrt(greatest(
        (spread.full_resolution_business_log_square - power(spread.full_resolution_business_log, 2) / nullif(spread.full_resolution_business_n, 0))
            / nullif(spread.full_resolution_business_n - 1, 0), 0
    ) / nullif(spread.full_resolution_business_n, 0)) as full_resolution_business_error -- standard error of its ln(minutes + 1)
from middle
join spread on spread.account_id = middle.account_id and spread.month = middle.month
