-- grain: account_id, month
-- One row per company and month from its first month as a customer (no earlier than the data) to the last complete
-- month, also after churn: nobody falls out.
with billed as (
    select account_id, period_start_on as day from canonical.invoice_line where kind = 'recurring'
    union all
    select account_id, started_on from canonical.subscription
),
first_billed as (
    select account_id, min(day) as day from billed where account_id is not null group by account_id
),
-- A subscription may have begun long before anything else is known of it; usage, surveys and typed events say nothing of
-- how the two dealt with each other in other months.
data as (
    select
        coalesce(
            min(case when table_name in ('activity', 'ticket', 'goal', 'invoice', 'invoice_line') then first_month end),
            min(first_month)
        ) as first_month
    from canonical.coverage
),
span as (
    select
        account.account_id,
        cast(
            date_trunc('month', coalesce(account.customer_since, first_billed.day, cast(account.created_at as date))) as date
        ) as customer_month,
        data.first_month,
        run.last_month
    from canonical.account as account
    cross join data
    cross join setting.run as run
    left join first_billed on first_billed.account_id = account.account_id
),
numbered as (
    select
        span.account_id,
        span.customer_month,
        greatest(span.customer_month, span.first_month) as first_month,
        unnest(range(0, 1 + months_between(greatest(span.customer_month, span.first_month), span.last_month))) as step
    from span
    where greatest(span.customer_month, span.first_month) <= span.last_month
)
select
    account_id,                                                             -- the company
    cast(first_month + to_months(cast(step as integer)) as date) as month,  -- first day of the month
    customer_month                                                          -- the month in which it became a customer
from numbered
