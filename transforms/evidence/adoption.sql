-- The features used in the value window, by month.
select distinct
    'feature' as kind,
    coalesce(usage.feature, '') as id,
    usage.month as day,
    1 as number,
    'used in the month' as what
from canonical.usage_day as usage
join value.window as value_window
    on value_window.account_id = usage.account_id
    and value_window.month = $month
    and usage.month between value_window.window_start and value_window.window_end
where usage.account_id = $account_id and coalesce(usage.quantity, 1) > 0
