-- grain: account_id, month
-- C4: share of our own changes of prices and scope that were not reviewed together in the 60 days before they took
-- effect. What an index clause or another agreed rule does is exempt.
with monthly as (
    select
        account_id,
        month,
        known_month,
        count(*) as changes,
        count(
            case
                when joint_review_on between coalesce(effective_on, announced_on) - 60 and coalesce(effective_on, announced_on)
                    then 1
            end
        ) as reviewed
    from canonical.relationship_event
    where kind in ('price_change', 'scope_change')
        and by_side = 'vendor'
        and account_id is not null
        and not coalesce(is_exempt, false)
    group by account_id, month, known_month
)
select
    style_window.account_id,                                                            -- the company
    style_window.month,                                                                 -- last month of the window
    cast(coalesce(sum(monthly.changes - monthly.reviewed), 0) as double) as numerator,  -- changes without a joint review
    cast(coalesce(sum(monthly.changes), 0) as double) as denominator,                   -- changes
    cast(coalesce(sum(monthly.changes), 0) as bigint) as n,                             -- the evidence: changes
    sum(monthly.changes - monthly.reviewed) / nullif(sum(monthly.changes), 0) as raw_value, -- share
    cast(null as double) as raw_error                                                   -- from the counts
from style.window as style_window
left join monthly
    on monthly.account_id = style_window.account_id
    and monthly.month >= style_window.window_start
    and monthly.known_month <= style_window.month
group by style_window.account_id, style_window.month
