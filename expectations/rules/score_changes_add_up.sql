-- severity: critical
-- Why mutual value moved is an exact sum: the contributions add up to the change of its logarithm.
with moved as (
    select
        now.account_id,
        now.month,
        ln(now.mutual_value) - ln(before.mutual_value) as change
    from mart.relationship_month as now
    join mart.relationship_month as before
        on before.account_id = now.account_id and before.month = cast(now.month - to_months(1) as date)
    where now.mutual_value is not null and before.mutual_value is not null
),
explained as (
    select account_id, month, sum(contribution) as change from mart.score_change group by account_id, month
)
select coalesce(moved.account_id, explained.account_id) as account_id, coalesce(moved.month, explained.month) as month
from moved
full join explained on explained.account_id = moved.account_id and explained.month = moved.month
where abs(moved.change - explained.change) > 1e-9 or moved.change is null or explained.change is null
