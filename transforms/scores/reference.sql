-- grain: measure_id, segment
-- What a value is compared with: the reference as it was frozen (`mutual-value reference --freeze`), else centre and
-- spread of each measure and segment over a base period, the first 12 complete months from the one in which it could
-- speak for 30 accounts (or, in a smaller portfolio, at all). Robust (median, 1.4826 MAD); where more than a quarter of
-- the values tie or the MAD is 0, mean and standard deviation. A segment under 30 accounts has no row of its own: the
-- portfolio (`*`) serves it.
-- Values that rest on little evidence were drawn together, and by their small spread a slight drift of all would look
-- huge: the spread is at least a fifth of that of the values as counted.
with speaking as (
    select measure_id, month, count(*) as accounts from scores.shrunk where status = 'ok' group by measure_id, month
),
first_month as (
    select measure_id, coalesce(min(case when accounts >= 30 then month end), min(month)) as month
    from speaking
    group by measure_id
),
base as (
    select
        shrunk.measure_id,
        shrunk.segment,
        shrunk.account_id,
        shrunk.estimate,
        shrunk.raw_value,
        case when measure.kind = 'duration' then ln(shrunk.raw_value + 1) else shrunk.raw_value end as counted
    from scores.shrunk as shrunk
    join first_month on first_month.measure_id = shrunk.measure_id
    join setting.measure as measure on measure.measure_id = shrunk.measure_id
    where shrunk.status = 'ok' and months_between(first_month.month, shrunk.month) between 0 and 11
),
pooled as (
    select measure_id, segment, account_id, estimate, raw_value, counted from base
    union all
    select measure_id, '*', account_id, estimate, raw_value, counted from base
),
-- Ties are told by the raw values: shrinkage draws equal ones apart by their evidence.
tie as (
    select measure_id, segment, max(times) as most_tied
    from (
        select measure_id, segment, round(raw_value, 9) as tied, count(*) as times
        from pooled
        group by measure_id, segment, round(raw_value, 9)
    )
    group by measure_id, segment
),
middle as (
    select
        measure_id,
        segment,
        count(*) as n,
        count(distinct account_id) as accounts,
        median(estimate) as center,
        median(counted) as counted_center,
        cast(sum(exact(estimate)) as double) / count(*) as mean,
        cast(sum(exact(estimate * estimate)) as double) / count(*) as mean_square,
        cast(sum(exact(counted)) as double) / count(*) as counted_mean,
        cast(sum(exact(counted * counted)) as double) / count(*) as counted_square
    from pooled
    group by measure_id, segment
),
spread as (
    select
        pooled.measure_id,
        pooled.segment,
        1.4826 * median(abs(pooled.estimate - middle.center)) as mad,
        1.4826 * median(abs(pooled.counted - middle.counted_center)) as counted_mad
    from pooled
    join middle on middle.measure_id = pooled.measure_id and middle.segment = pooled.segment
    group by pooled.measure_id, pooled.segment
),
chosen as (
    select
        middle.measure_id,
        middle.segment,
        middle.n,
        middle.accounts,
        middle.center,
        middle.mean,
        sqrt(greatest(middle.mean_square - middle.mean * middle.mean, 0) * middle.n / nullif(middle.n - 1, 0)) as deviation,
        sqrt(
            greatest(middle.counted_square - middle.counted_mean * middle.counted_mean, 0) * middle.n / nullif(middle.n - 1, 0)
        ) as counted_deviation,
        spread.mad,
        spread.counted_mad,
        spread.mad > 1e-9 and tie.most_tied <= 0.25 * middle.n as is_robust
    from middle
    join spread on spread.measure_id = middle.measure_id and spread.segment = middle.segment
    join tie on tie.measure_id = middle.measure_id and tie.segment = middle.segment
),
every as (
    select measure_id, segment, center, scale, method, n, accounts, 'frozen' as origin from setting.reference
    union all
    -- A measure that was not there when the reference was frozen has none yet.
    select
        chosen.measure_id,
        chosen.segment,
        case when chosen.is_robust then chosen.center else chosen.mean end,
        case
            when chosen.is_robust then greatest(chosen.mad, 0.2 * chosen.counted_mad)
            when chosen.deviation > 1e-9 then greatest(chosen.deviation, 0.2 * chosen.counted_deviation)
        end,
        case when chosen.is_robust then 'robust' else 'moments' end,
        chosen.n,
        chosen.accounts,
        'first_12_months'
    from chosen
    left join (select distinct measure_id from setting.reference) as frozen on frozen.measure_id = chosen.measure_id
    where frozen.measure_id is null and (chosen.accounts >= 30 or chosen.segment = '*')
)
select
    measure_id,                                                             -- the measure
    segment,                                                                -- a segment, or * for the portfolio
    center,                                                                 -- median or mean (durations: of ln(minutes + 1))
    scale,                                                                  -- 1.4826 MAD or standard deviation; null without spread
    method,                                                                 -- robust or moments
    n,                                                                      -- account-months
    accounts,                                                               -- accounts
    origin                                                                  -- frozen, or first_12_months
from every
