-- severity: critical
-- Measures and scores stop at the last complete month: a window that has not ended cannot be measured.
select 'mart.account_month_measure' as table_name, measured.month, count(*) as copies
from mart.account_month_measure as measured
left join mart.month as month on month.month = measured.month and month.is_complete
where month.month is null
group by measured.month
union all
select 'mart.relationship_month', scored.month, count(*)
from mart.relationship_month as scored
left join mart.month as month on month.month = scored.month and month.is_complete
where month.month is null
group by scored.month
