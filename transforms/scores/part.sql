-- grain: account_id, month, part
-- Means of the components of each part of the scores.
select
    account_id,                                                             -- the company
    month,                                                                  -- the month
    part,                                                                   -- partnership_goals, partnership_conduct, partnership_openness, cost_focus_customer, cost_focus_supplier, supplier_value, customer_value
    count(*) as components,                                                 -- components in the mean
    count(case when status = 'ok' then 1 end) as ok_components,             -- of them with evidence of their own
    cast(sum(exact(z)) as double) as z_sum,                                 -- sum of z
    cast(sum(exact(z_error * z_error)) as double) as variance_sum           -- sum of squared errors
from scores.component
group by account_id, month, part
