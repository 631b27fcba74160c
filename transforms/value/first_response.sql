-- grain: account_id, month
-- Median calendar minutes to our first answer, over the tickets created in the window that have one.
with answered as (
    select
        value_window.account_id,
        value_window.month,
        ticket.first_response_min as minutes
    from value.window as value_window
    join canonical.ticket as ticket
        on ticket.account_id = value_window.account_id
        and ticket.month between value_window.window_start and value_window.window_end
    where ticket.first_response_min is not null
)
select
    account_id,                                                                 -- the company
    month,                                                                      -- the month that the value stands for
    cast(null as double) as numerator,                                          -- none: a median
    cast(null as double) as denominator,                                        -- none: a median
    count(*) as n,                                                              -- the evidence: tickets
    median(minutes) as raw_value,                                               -- minutes
    -- Standard error of a median, on the logarithm: 1.2533 sd / sqrt(n) (exact for the normal); a minute is added, since
    -- an answer may come at once.
    1.2533 * sqrt(greatest(
        (sum(exact(power(ln(minutes + 1), 2))) - power(sum(exact(ln(minutes + 1))), 2) / count(*)) / nullif(count(*) - 1, 0), 0
    ) / count(*)) as raw_error                                                  -- standard error of ln(minutes + 1)
from answered
group by account_id, month
