-- grain: account_id, month
-- P7: share of changes of plans and volumes, of either side, that the other was told of 14 or more days ahead.
with monthly as (
    select
        account_id,
        month,
        known_month,
        count(*) as changes,
        count(case when effective_on - announced_on >= 14 then 1 end) as told_ahead
    from canonical.relationship_event
    where kind in ('volume_plan', 'roadmap') and account_id is not null and effective_on is not null
    group by account_id, month, known_month
)
select
    style_window.account_id,                                                    -- the company
    style_window.month,                                                         -- last month of the window
    cast(coalesce(sum(monthly.told_ahead), 0) as double) as numerator,          -- changes told 14 or more days ahead
    cast(coalesce(sum(monthly.changes), 0) as double) as denominator,           -- changes
    cast(coalesce(sum(monthly.changes), 0) as bigint) as n,                     -- the evidence: changes
    sum(monthly.told_ahead) / nullif(sum(monthly.changes), 0) as raw_value,     -- share
    cast(null as double) as raw_error                                           -- from the counts
from style.window as style_window
left join monthly
    on monthly.account_id = style_window.account_id
    and monthly.month >= style_window.window_start
    and monthly.known_month <= style_window.month
group by style_window.account_id, style_window.month
