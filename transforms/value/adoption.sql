-- grain: account_id, month
-- How much of the product a customer uses: of the features that any customer used in a month, those that this one used,
-- over the months of the window. How often it used them is left out: one feature's unit is not another's.
with feature_month as (
    select distinct account_id, month, coalesce(feature, '') as feature
    from canonical.usage_day
    where coalesce(quantity, 1) > 0 and account_id is not null
),
offered as (
    select month, count(distinct feature) as features from feature_month group by month
),
used as (
    select account_id, month, count(*) as features from feature_month group by account_id, month
)
select
    value_window.account_id,                                                    -- the company
    value_window.month,                                                         -- the month that the value stands for
    cast(coalesce(sum(used.features), 0) as double) as numerator,               -- features that it used, by month
    cast(sum(offered.features) as double) as denominator,                       -- features that anybody used, by month
    count(*) as n,                                                              -- the evidence: months as a customer with usage on record
    coalesce(sum(used.features), 0) / sum(offered.features) as raw_value,       -- share
    cast(null as double) as raw_error                                           -- from the counts
from value.window as value_window
join canonical.account_month as account_month
    on account_month.account_id = value_window.account_id
    and account_month.month between value_window.window_start and value_window.window_end
join offered on offered.month = account_month.month
left join used on used.account_id = value_window.account_id and used.month = account_month.month
group by value_window.account_id, value_window.month
