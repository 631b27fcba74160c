-- grain: account_id
-- What the contrast is computed from, one row per company: style over the 12 months before t0, value over the 6 months
-- from t0, covariates as they stood when the style window opened. Published so that anybody can compute it again.
with customer as (
    select revenue.account_id, revenue.mrr
    from value.revenue as revenue
    cross join setting.run as run
    where revenue.month = cast(run.t0 - to_months(1) as date)
),
opening as (
    select revenue.account_id, revenue.mrr
    from value.revenue as revenue
    cross join setting.run as run
    where revenue.month = cast(run.t0 - to_months(12) as date)
),
since as (
    select account_id, min(customer_month) as customer_month from canonical.account_month group by account_id
),
behaved as (
    select relationship.account_id, relationship.partnership, relationship.cost_focus, relationship.style
    from mart.relationship_month as relationship
    cross join setting.run as run
    where relationship.month = cast(run.t0 - to_months(1) as date)
),
gained as (
    select
        relationship.account_id,
        relationship.mutual_value,
        relationship.supplier_value,
        relationship.customer_value,
        relationship.balance,
        relationship.tilt
    from mart.relationship_month as relationship
    cross join setting.run as run
    where relationship.month = run.last_month
),
-- What there was before the style window: no covariate, since style persists and earlier value is partly its effect.
earlier as (
    select relationship.account_id, relationship.mutual_value
    from mart.relationship_month as relationship
    cross join setting.run as run
    where relationship.month = cast(run.t0 - to_months(13) as date)
),
component as (
    select
        measure.account_id,
        max(case when measure.measure_id = 'nrr' then measure.value end) as nrr,
        max(case when measure.measure_id = 'contribution_margin' then measure.value end) as contribution_margin,
        max(case when measure.measure_id = 'days_beyond_terms' then measure.value end) as days_beyond_terms,
        max(case when measure.measure_id = 'discount_depth' then measure.value end) as discount_depth,
        max(case when measure.measure_id = 'first_response' then measure.value end) as first_response,
        max(case when measure.measure_id = 'full_resolution' then measure.value end) as full_resolution,
        max(case when measure.measure_id = 'csat' then measure.value end) as csat,
        max(case when measure.measure_id = 'reopen_rate' then measure.value end) as reopen_rate,
        max(case when measure.measure_id = 'adoption' then measure.value end) as adoption
    from mart.account_month_measure as measure
    cross join setting.run as run
    where measure.month = run.last_month
    group by measure.account_id
),
logging as (
    select logged.account_id, logged.value as logging_intensity
    from mart.account_month_measure as logged
    cross join setting.run as run
    where logged.measure_id = 'logging_intensity' and logged.month = cast(run.t0 - to_months(1) as date)
),
-- The end of paid service: the day after the last month with revenue.
churn as (
    select
        revenue.account_id,
        case
            when max(revenue.last_paid_month) < max(run.last_month)
                then cast(max(revenue.last_paid_month) + to_months(1) as date)
        end as churned_on
    from value.revenue as revenue
    cross join setting.run as run
    group by revenue.account_id
),
renewal as (
    select subscription.account_id, min(subscription.term_end_on) - min(run.t0) as days_to_renewal
    from canonical.subscription as subscription
    cross join setting.run as run
    where subscription.term_end_on >= run.t0 and subscription.started_on < run.t0 and subscription.account_id is not null
    group by subscription.account_id
)
select
    account.account_id,                                                         -- the company
    account.segment,                                                            -- the CRM's segment
    behaved.partnership,                                                        -- 0-1, at the end of the style window
    behaved.cost_focus,                                                         -- 0-1, at the end of the style window
    behaved.style,                                                              -- the cell then
    case
        when customer.account_id is null or customer.mrr is null then 'no recurring revenue known'
        when customer.mrr = 0 then 'not a customer at t0'
        when behaved.account_id is null then 'no month before t0'
        when behaved.partnership is null then 'fewer than three signs of style on record'
        when gained.mutual_value is null then 'fewer than two components of value on record on a side'
    end as reason,                                                              -- why the company is left out; null when it is in
    gained.mutual_value,                                                        -- 0-1, over the value window
    gained.supplier_value,                                                      -- 0-1, over the value window
    gained.customer_value,                                                      -- 0-1, over the value window
    gained.balance,                                                             -- 0-1, over the value window
    gained.tilt,                                                                -- ln ratio / 2, over the value window
    component.nrr,                                                              -- ratio, over the value window
    component.contribution_margin,                                              -- share, over the value window
    component.days_beyond_terms,                                                -- days, over the value window
    component.discount_depth,                                                   -- share, over the value window
    component.first_response,                                                   -- minutes, over the value window
    component.full_resolution,                                                  -- minutes, over the value window
    component.csat,                                                             -- share, over the value window
    component.reopen_rate,                                                      -- share, over the value window
    component.adoption,                                                         -- share, over the value window
    earlier.mutual_value as mutual_value_before,                                -- 0-1, over the 6 months before the style window
    ln(nullif(cast(opening.mrr as double), 0)) as log_mrr,                      -- ln of recurring revenue when the style window opened
    opening_seats.seats,                                                        -- seats when the style window opened
    cast(months_between(since.customer_month, run.t0) as double) as tenure_months, -- months as a customer at t0
    logging.logging_intensity,                                                  -- interactions per account-month over the manager's other accounts
    account.industry,                                                           -- industry
    account.region,                                                             -- region
    cast(renewal.days_to_renewal as double) as days_to_renewal,                 -- days from t0 to the end of the term
    account.sla_tier,                                                           -- service level
    account.product,                                                            -- main product
    account.owner_id,                                                           -- account manager: a cluster
    belongs.group_id as parent_id,                                              -- topmost parent company when the value window opened: a cluster
    since.customer_month as customer_from,                                      -- first month as a customer
    churn.churned_on                                                            -- first day without paid service; null while it runs
from canonical.account as account
cross join setting.run as run
join since on since.account_id = account.account_id
left join canonical.account_group as belongs
    on belongs.account_id = account.account_id
    and belongs.known_from < cast(run.t0 as timestamp) and belongs.known_until >= cast(run.t0 as timestamp)
left join customer on customer.account_id = account.account_id
left join opening on opening.account_id = account.account_id
left join behaved on behaved.account_id = account.account_id
left join gained on gained.account_id = account.account_id
left join earlier on earlier.account_id = account.account_id
left join component on component.account_id = account.account_id
left join churn on churn.account_id = account.account_id
left join renewal on renewal.account_id = account.account_id
left join scores.opening_seats as opening_seats on opening_seats.account_id = account.account_id
left join logging on logging.account_id = account.account_id
