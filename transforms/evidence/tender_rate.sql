-- The renewals of the style window.
select
    'deal' as kind,
    opportunity.opportunity_id as id,
    opportunity.closed_on as day,
    opportunity.amount as number,
    concat(opportunity.currency, ', ', opportunity.type, ', ', opportunity.status) as what
from canonical.opportunity as opportunity
join style.window as style_window
    on style_window.account_id = opportunity.account_id
    and style_window.month = $month
    and opportunity.closed_on between style_window.window_start and last_day(style_window.month)
where opportunity.account_id = $account_id and opportunity.type = 'renewal'
