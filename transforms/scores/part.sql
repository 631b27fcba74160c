-- grain: account_id, month, part
-- Weighted sums of the components of each part of the scores; one of weight 0 is left out as if it were not there.
select
    account_id,                                                             -- the company
    month,                                                                  -- the month
    part,                                                                   -- partnership_goals, partnership_conduct, partnership_openness, cost_focus_customer, cost_focus_supplier, supplier_value, customer_value
    count(*) as components,                                                 -- components in the mean
    count(case when status = 'ok' then 1 end) as ok_components,             -- of them with evidence of their own
    cast(sum(exact(weight)) as double) as weight_sum,                       -- sum of the weights
    cast(sum(exact(weight * z)) as double) as z_sum,                        -- weighted sum of z
    cast(sum(exact(weight * z_error * (weight * z_error))) as double) as variance_sum -- its variance
from scores.component
where weight > 0
group by account_id, month, part
