-- grain: account_id, month
-- P5: geometric mean of the effective numbers of active people on the two sides.
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
from style.interaction_month as activity_window
left join style.side_breadth as customer
    on customer.account_id = activity_window.account_id
    and customer.month = activity_window.month
    and customer.side = 'customer'
left join style.side_breadth as vendor
    on vendor.account_id = activity_window.account_id
    and vendor.month = activity_window.month
    and vendor.side = 'vendor'
