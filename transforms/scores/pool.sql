-- grain: month, measure_id, segment
-- The pools towards which thin data is shrunk: every segment with 30 or more accounts, and the portfolio (`*`).
with enough as (
    select
        month,
        measure_id,
        kind,
        segment,
        case when kind = 'duration' then ln(raw_value + 1) else raw_value end as x,
        numerator as k,
        denominator as m,
        raw_error as e
    from scores.judged
    where status = 'ok' and kind <> 'fact'
),
pooled as (
    select month, measure_id, kind, segment, x, k, m, e from enough
    union all
    select month, measure_id, kind, '*', x, k, m, e from enough
),
summed as (
    select
        month,
        measure_id,
        kind,
        segment,
        count(*) as accounts,
        cast(sum(exact(k)) as double) as k,
        cast(sum(exact(m)) as double) as m,
        cast(sum(exact(m * m)) as double) as m_square,
        cast(sum(exact(m * x * x)) as double) as m_x_square,
        cast(sum(exact(x)) as double) / count(*) as plain_mean,
        cast(sum(exact(x * x)) as double) / count(*) as x_square,
        cast(sum(exact(e * e)) as double) / nullif(count(e), 0) as error_square
    from pooled
    group by month, measure_id, kind, segment
),
centred as (
    select
        month,
        measure_id,
        kind,
        segment,
        accounts,
        m,
        case when kind in ('share', 'rate') then k / nullif(m, 0) else plain_mean end as center,
        error_square,
        -- Weighted sum of squares about the centre.
        m_x_square - k * k / nullif(m, 0) as scatter,
        m - m_square / nullif(m, 0) as effective,
        (x_square - plain_mean * plain_mean) * accounts / nullif(accounts - 1, 0) as plain_variance
    from summed
)
select
    month,                                                                  -- the month
    measure_id,                                                             -- the measure
    segment,                                                                -- a segment, or * for the portfolio
    accounts,                                                               -- accounts with enough evidence
    center,                                                                 -- pooled mean (durations: of ln(minutes + 1))
    -- Variance between accounts by the method of moments: what is left of the scatter after sampling noise (shares and
    -- rates: J. C. Kleinman, JASA 68, 1973; means: variance less the mean squared error). At least a thousandth of the
    -- noise, so that equal accounts are shrunk together and nothing is divided by 0.
    case kind
        when 'share' then greatest(
            (scatter - (accounts - 1) * center * (1 - center)) / nullif(effective, 0),
            -- From one trial an account (a renewal a year) nobody can tell accounts from chance: a tenth is assumed.
            case when m < 2 * accounts then 0.1 else 0.001 end * center * (1 - center)
        )
        when 'rate' then greatest((scatter - (accounts - 1) * center) / nullif(effective, 0), 0.001 * center)
        else greatest(plain_variance - error_square, 0.001 * plain_variance, 0)
    end as between_variance                                                 -- variance between accounts
from centred
where accounts >= 30 or segment = '*'
