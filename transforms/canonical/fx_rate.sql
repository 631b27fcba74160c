-- grain: from_currency, valid_from
-- What one unit of each currency is worth in the project's, and from when to when: a rate holds until the next one, but
-- no longer than fx_days. A rate that was given the other way round is turned over.
with given as (
    select rate.day, upper(rate.from_currency) as from_currency, rate.rate, 1 as preference
    from staged.fx_rate as rate
    cross join setting.run as run
    where upper(rate.to_currency) = run.currency and rate.rate > 0 and not coalesce(rate.is_deleted, false)
    union all
    select rate.day, upper(rate.to_currency), cast(1 / rate.rate as decimal(20, 10)), 2
    from staged.fx_rate as rate
    cross join setting.run as run
    where upper(rate.from_currency) = run.currency and rate.rate > 0 and not coalesce(rate.is_deleted, false)
),
ranked as (
    select
        day,
        from_currency,
        rate,
        row_number() over (partition by from_currency, day order by preference, rate) as rank
    from given
    where from_currency is not null and day is not null
)
select
    ranked.from_currency,                                               -- ISO 4217
    ranked.day as valid_from,                                           -- first day that it holds
    least(
        coalesce(lead(ranked.day) over (partition by ranked.from_currency order by ranked.day), cast('9999-12-31' as date)),
        ranked.day + cast(run.fx_days + 1 as integer)
    ) as valid_until,                                                   -- the day after the last
    ranked.rate                                                         -- one unit in the project's currency
from ranked
cross join setting.run as run
where ranked.rank = 1
