-- grain: account_id, month
-- What the customer did for our name: references, case studies, joint marketing and seats on our advisory board, per 90
-- days of the window.
with monthly as (
    select account_id, month, count(*) as events
    from canonical.cocreation_event
    where kind in ('reference', 'case_study', 'joint_marketing', 'advisory_board') and account_id is not null
    group by account_id, month
)
select
    value_window.account_id,                                        -- the company
    value_window.month,                                             -- the month that the value stands for
    cast(coalesce(sum(monthly.events), 0) as double) as numerator,  -- events
    (last_day(value_window.window_end) - value_window.window_start + 1) / 90 as denominator, -- exposure in units of 90 days
    last_day(value_window.window_end) - value_window.window_start + 1 as n, -- the evidence: days
    coalesce(sum(monthly.events), 0) * 90 / (last_day(value_window.window_end) - value_window.window_start + 1) as raw_value, -- events per 90 days
    cast(null as double) as raw_error                               -- from the counts
from value.window as value_window
left join monthly
    on monthly.account_id = value_window.account_id
    and monthly.month between value_window.window_start and value_window.window_end
group by value_window.account_id, value_window.month, value_window.window_start, value_window.window_end
