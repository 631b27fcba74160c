-- grain: month, segment
-- The shifted beta-geometric model of how long customers stay (P. S. Fader, B. G. S. Hardie, "How to project customer
-- retention", Journal of Interactive Marketing 21, 2007), fitted by maximum likelihood to all renewals up to the month.
with month as (
    select distinct month, segment from value.tenure_step
),
renewal as (
    select
        month.month,
        month.segment,
        step.tenure,
        cast(sum(step.kept) as bigint) as kept,
        cast(sum(step.lost) as bigint) as lost
    from month
    join value.tenure_step as step on step.segment = month.segment and step.month <= month.month
    group by month.month, month.segment, step.tenure
),
fitted as (
    select
        month,
        segment,
        cast(sum(lost) as bigint) as lost,
        beta_geometric(
            array_agg(cast(tenure as bigint) order by tenure), array_agg(kept order by tenure), array_agg(lost order by tenure)
        ) as shape
    from renewal
    group by month, segment
)
select
    month,                                                  -- the month
    segment,                                                -- a segment, or * for the portfolio
    lost,                                                   -- customers that left up to then
    shape[1] as alpha,                                      -- of the beta distribution of the chance to leave; null before anybody left
    shape[2] as beta                                        -- of the same
from fitted
