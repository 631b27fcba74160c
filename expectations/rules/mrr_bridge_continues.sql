-- severity: critical
-- A month opens with what the month before closed with; otherwise revenue changes between two months, in no movement.
select closed.account_id, opened.month, closed.closing as closing_before, opened.opening
from mart.mrr_bridge as closed
join mart.mrr_bridge as opened
    on opened.account_id = closed.account_id
    and opened.month = closed.month + interval 1 month
where coalesce(abs(closed.closing - opened.opening) > 0.005, true)
