-- grain: account_id, month, measure_id
-- Why mutual value moved since the month before: an exact sum over the components of both sides. ln V of a side moves by
-- (ln V1 - ln V0) / (z1 - z0) for each unit of its mean z (phi / Phi where the mean stands still), and each component
-- moves the mean by its share of the weights. A component that is thin stands at its segment's mean, so it moves from or
-- to it; one that cannot exist in one of the months moves from or to the mean of the others, as if it had not been missed.
with side as (
    select account_id, month, 'supplier_value' as part, supplier_z as z
    from scores.relationship
    where supplier_z is not null and customer_z is not null
    union all
    select account_id, month, 'customer_value', customer_z
    from scores.relationship
    where supplier_z is not null and customer_z is not null
),
placed as (
    select side.account_id, side.month, side.part, side.z, part.z_sum / part.weight_sum as mean
    from side
    join scores.part as part
        on part.account_id = side.account_id and part.month = side.month and part.part = side.part
),
moved as (
    select
        now.account_id,
        now.month,
        now.part,
        before.mean as mean_before,
        now.mean as mean_now,
        now.z - before.z as step,
        case
            when abs(now.z - before.z) < 1e-7
                then normal_pdf((now.z + before.z) / 2) / normal_cdf((now.z + before.z) / 2)
            else (ln(normal_cdf(now.z)) - ln(normal_cdf(before.z))) / (now.z - before.z)
        end as slope
    from placed as now
    join placed as before
        on before.account_id = now.account_id
        and before.part = now.part
        and before.month = cast(now.month - to_months(1) as date)
),
paired as (
    select account_id, month, part, measure_id, weight, max(z_before) as z_before, max(z_now) as z_now
    from (
        select account_id, month, part, measure_id, weight, cast(null as double) as z_before, z as z_now
        from scores.component
        union all
        select account_id, cast(month + to_months(1) as date), part, measure_id, weight, z, null from scores.component
    )
    where weight > 0
    group by account_id, month, part, measure_id, weight
),
component as (
    select
        moved.account_id,
        moved.month,
        paired.measure_id,
        replace(moved.part, '_value', '') as side,
        moved.slope / 2 * (
            coalesce(paired.z_now, moved.mean_now) - coalesce(paired.z_before, moved.mean_before)
        ) * paired.weight / cast(
            sum(exact(paired.weight)) over (partition by moved.account_id, moved.month, moved.part) as double
        ) as contribution
    from moved
    join paired on paired.account_id = moved.account_id and paired.month = moved.month and paired.part = moved.part
),
-- What the clipping of a side's mean at the 1st and 99th percentile took away from its components, or gave back.
clipped as (
    select
        account_id,
        month,
        case when count(*) = 2 then 'both' else min(replace(part, '_value', '')) end as side,
        cast(sum(exact(slope / 2 * (step - (mean_now - mean_before)))) as double) as contribution
    from moved
    where abs(step - (mean_now - mean_before)) > 1e-12
    group by account_id, month
),
every as (
    select account_id, month, measure_id, side, contribution from component
    union all
    select account_id, month, 'clipped', side, contribution from clipped
)
select
    account_id,                                                             -- the company
    month,                                                                  -- the month; compared with the one before
    measure_id,                                                             -- the component; `clipped`: the remainder that clipping left
    side,                                                                   -- supplier or customer; both: clipped on both sides
    contribution                                                            -- to the change of ln mutual_value; they add up to it
from every
