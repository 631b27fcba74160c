-- grain: account_id, month
-- What a customer under contract will still pay: recurring revenue of the month times its discounted expected residual
-- lifetime in months (P. S. Fader, B. G. S. Hardie, "Customer-base valuation in a contractual setting", Marketing Science
-- 29, 2010, eq. 6). 0 once it has left. It is revenue, not margin.
with placed as (
    select
        revenue.account_id,
        revenue.month,
        cast(revenue.mrr as double) as mrr,
        revenue.last_paid_month < revenue.month as has_left,
        months_between(account_month.customer_month, revenue.month) + 1 as tenure,
        coalesce(segment.lost, portfolio.lost) as lost,
        coalesce(segment.alpha, portfolio.alpha) as alpha,
        coalesce(segment.beta, portfolio.beta) as beta
    from value.revenue as revenue
    join canonical.account as account on account.account_id = revenue.account_id
    join canonical.account_month as account_month
        on account_month.account_id = revenue.account_id and account_month.month = revenue.month
    -- A segment of its own only where it has lost enough to speak.
    left join value.lifetime as segment
        on segment.month = revenue.month and segment.segment = coalesce(nullif(account.segment, ''), 'none') and segment.lost >= 10
    left join value.lifetime as portfolio on portfolio.month = revenue.month and portfolio.segment = '*'
    where revenue.has_paid
),
expected as (
    select distinct
        placed.alpha,
        placed.beta,
        placed.tenure,
        residual_lifetime(placed.alpha, placed.beta, cast(placed.tenure as double), run.discount_rate) as months
    from placed
    cross join setting.run as run
    where not placed.has_left
)
select
    placed.account_id,                                                          -- the company
    placed.month,                                                               -- the month
    case when placed.has_left then 0 else placed.mrr * expected.months end as numerator, -- the value, which adds up over accounts
    case when placed.has_left then 0 else expected.months end as denominator,   -- discounted months that it is expected to stay
    placed.lost as n,                                                           -- the evidence: customers of the segment (or portfolio) that left
    case when placed.has_left then 0 else placed.mrr * expected.months end as raw_value, -- in the project's currency
    cast(null as double) as raw_error                                           -- a model's expectation, not a sample
from placed
left join expected
    on expected.alpha = placed.alpha and expected.beta = placed.beta and expected.tenure = placed.tenure
