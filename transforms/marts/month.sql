-- grain: month
-- The months of the marts, and the running one.
with span as (
    select
        least(min(account_month.month), min(run.last_month)) as first_month,
        max(cast(date_trunc('month', run.as_of) as date)) as running_month,
        max(run.last_month) as last_month
    from setting.run as run
    left join canonical.account_month as account_month on true
),
every as (
    select
        cast(first_month + to_months(cast(unnest(range(0, 1 + months_between(first_month, running_month))) as integer)) as date) as month,
        last_month
    from span
)
select
    month,                                                              -- first day of the month
    cast(year(month) as integer) as year,                               -- calendar year
    cast(quarter(month) as integer) as quarter,                         -- calendar quarter, 1 to 4
    strftime(month, '%B') as month_name,                                -- English name
    month <= last_month as is_complete                                  -- false for the running month: leave it out of trends
from every
