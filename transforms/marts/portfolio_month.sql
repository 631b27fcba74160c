-- grain: month, outcome
-- Whether the portfolio's value reaches the single relationship: mean, the value that nine in ten exceed, and how unevenly
-- it is spread. Every relationship counts, also after churn.
with told as (
    select month, 'mutual_value' as outcome, account_id, mutual_value as value from mart.relationship_month
    union all
    select month, 'supplier_value', account_id, supplier_value from mart.relationship_month
    union all
    select month, 'customer_value', account_id, customer_value from mart.relationship_month
),
ranked as (
    select month, outcome, value, row_number() over (partition by month, outcome order by value, account_id) as place
    from told
    where value is not null
),
summed as (
    select
        month,
        outcome,
        count(*) as accounts,
        cast(sum(exact(value)) as double) as total,
        cast(sum(exact(place * value)) as double) as ranked_total,
        quantile_disc(value, 0.1) as lowest_tenth
    from ranked
    group by month, outcome
)
select
    month,                                                              -- the month
    outcome,                                                            -- mutual_value, supplier_value, customer_value
    accounts,                                                           -- relationships with a value
    total / accounts as mean,                                           -- 0-1
    lowest_tenth as p10,                                                -- 0-1: nine in ten exceed it
    sqrt(total / accounts * lowest_tenth) as whole_and_individual,      -- 0-1: geometric mean of the two
    2 * ranked_total / (accounts * total) - (accounts + 1) / accounts as gini -- 0: all the same; 1: one has everything
from summed
