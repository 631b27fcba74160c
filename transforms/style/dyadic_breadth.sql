-- grain: account_id, month
-- P5: geometric mean of the effective numbers of active people on the two sides.
with active as (
    select account_id, month, count(distinct (day, thread_key)) as interactions
    from style.interaction
    group by account_id, month
),
activity_window as (
    select
        style_window.account_id,
        style_window.month,
        cast(coalesce(sum(active.interactions), 0) as bigint) as interactions,
        count(active.month) as months
    from style.window as style_window
    left join active
        on active.account_id = style_window.account_id
        and active.month between style_window.window_start and style_window.month
    group by style_window.account_id, style_window.month
)
select
    activity_window.account_id,                                             -- the company
    activity_window.month,                                                  -- last month of the window
    customer.effective_people as numerator,                                 -- effective people of the customer
    vendor.effective_people as denominator,                                 -- effective people of ours
    case
        when activity_window.months >= 3 and customer.side is not null and vendor.side is not null
            then activity_window.interactions
        else 0
    end as n,                                                               -- the evidence: interactions, 0 under 3 months
    sqrt(customer.effective_people * vendor.effective_people) as raw_value, -- people
    -- Delta method on the mean of the two entropies; at least half an interaction's worth, so that one person on each
    -- side is not taken for certain.
    sqrt(customer.effective_people * vendor.effective_people) / 2 * sqrt(
        customer.entropy_variance + vendor.entropy_variance + 0.5 / activity_window.interactions
    ) as raw_error                                                          -- standard error
from activity_window
left join style.side_breadth as customer
    on customer.account_id = activity_window.account_id
    and customer.month = activity_window.month
    and customer.side = 'customer'
left join style.side_breadth as vendor
    on vendor.account_id = activity_window.account_id
    and vendor.month = activity_window.month
    and vendor.side = 'vendor'
