-- grain: account_id, month, measure_id
-- Each measure that enters a score, as its distance from the reference in units of its spread: better, or more of the
-- construct, is higher. A value component that is thin for the account takes its pool's mean with the pool's spread as
-- its error; a style indicator that is thin says nothing.
with weighed as (
    select
        measure_id,
        part,
        direction,
        -- Beside the lightest of its score it is 1 or more, so sums over fixed decimals (scores/part.sql) keep digits.
        weight / min(nullif(weight, 0)) over (
            partition by case when starts_with(part, 'partnership_') then 'partnership' else part end
        ) as weight
    from setting.measure
    where part <> 'none'
),
placed as (
    select
        shrunk.account_id,
        shrunk.month,
        shrunk.measure_id,
        measure.part,
        measure.weight,
        shrunk.status,
        case measure.direction when 'down' then -1 else 1 end as sign,
        coalesce(shrunk.estimate, case when measure.part in ('supplier_value', 'customer_value') then shrunk.center end) as estimate,
        coalesce(shrunk.estimate_error, shrunk.prior_error) as error,
        coalesce(segment.center, portfolio.center) as center,
        coalesce(segment.scale, portfolio.scale) as scale
    from scores.shrunk as shrunk
    join weighed as measure on measure.measure_id = shrunk.measure_id
    left join scores.reference as segment
        on segment.measure_id = shrunk.measure_id and segment.segment = shrunk.segment
    left join scores.reference as portfolio
        on portfolio.measure_id = shrunk.measure_id and portfolio.segment = '*'
    where shrunk.status <> 'null'
)
select
    account_id,                                                             -- the company
    month,                                                                  -- the month that the value stands for
    measure_id,                                                             -- the measure
    part,                                                                   -- the score that it enters
    weight,                                                                 -- beside the lightest measure of its score, which has 1; 0: it does not count
    status,                                                                 -- ok, or thin: the pool stands in
    case
        when scale is null then 0
        -- A fact has no pool to stand in for it: the reference's own centre does.
        when estimate is null and part in ('supplier_value', 'customer_value') then 0
        else greatest(-3, least(3, sign * (estimate - center) / scale))
    end as z,                                                               -- winsorised at 3 spreads
    case
        when scale is null then 0
        when estimate is null then 1
        else coalesce(error, 0) / scale
    end as z_error                                                          -- standard error of z
from placed
where status = 'ok' or part in ('supplier_value', 'customer_value')
