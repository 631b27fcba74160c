-- grain: account_id, month, side
-- The effective number of active people on each side of a relationship: exp of Shannon's entropy of their interactions
-- (Hill number of order 1; M. O. Hill, Ecology 54, 1973). Ten people of whom one does all the talking are one.
with person_month as (
    select
        account_id,
        month,
        known_month,
        'customer' as side,
        customer_human_id as human_id,
        count(distinct (day, thread_key)) as interactions
    from style.interaction
    where customer_human_id <> ''
    group by account_id, month, known_month, customer_human_id
    union all
    select account_id, month, known_month, 'vendor', vendor_human_id, count(distinct (day, thread_key))
    from style.interaction
    where vendor_human_id <> ''
    group by account_id, month, known_month, vendor_human_id
),
person_window as (
    select
        style_window.account_id,
        style_window.month,
        person_month.side,
        person_month.human_id,
        sum(person_month.interactions) as interactions
    from style.window as style_window
    join person_month
        on person_month.account_id = style_window.account_id
        and person_month.month >= style_window.window_start
        and person_month.known_month <= style_window.month
    group by style_window.account_id, style_window.month, person_month.side, person_month.human_id
)
select
    account_id,                                                             -- the company
    month,                                                                  -- last month of the window
    side,                                                                   -- customer or vendor
    cast(sum(interactions) as bigint) as interactions,                      -- person-interactions on this side
    count(*) as people,                                                     -- people seen
    exp(
        ln(sum(interactions)) - sum(exact(interactions * ln(interactions))) / sum(interactions)
    ) as effective_people,                                                  -- exp(entropy)
    -- Variance of an estimated entropy: (sum p ln(p)^2 - H^2) / N (G. P. Basharin 1959).
    greatest(
        sum(exact(interactions * ln(interactions) * ln(interactions))) / sum(interactions)
            - power(sum(exact(interactions * ln(interactions))) / sum(interactions), 2),
        0
    ) / sum(interactions) as entropy_variance                               -- sampling variance of the entropy
from person_window
group by account_id, month, side
