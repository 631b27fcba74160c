-- grain: account_id, month
-- Recurring revenue in force on the last day of each month at account grain, so that a plan swap is no churn.
select
    account_id,                                                                 -- the company
    month,                                                                      -- the month
    cast(sum(case when reason = '' then mrr else 0 end) as decimal(18, 2)) as mrr, -- in the project's currency
    cast(sum(case when reason = '' then lines else 0 end) as bigint) as in_currency, -- lines in, or converted to, the project's currency
    cast(sum(case when reason = 'currency_missing' then lines else 0 end) as bigint) as without_currency, -- lines that say no currency
    cast(sum(case when reason = 'fx_missing' then lines else 0 end) as bigint) as without_rate, -- lines in a currency without a rate
    cast(sum(case when reason = 'conflicting_sources' then lines else 0 end) as bigint) as in_conflict -- lines of products of which two systems tell different amounts
from value.product_month
group by account_id, month
