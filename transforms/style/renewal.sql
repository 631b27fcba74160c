-- grain: opportunity_id
-- Renewals that came up, won or not, and whether the customer asked others in the year before. How they ended is not
-- read here: it would be an outcome. Public buyers must call for tenders; their renewals are exempt.
with renewed as (
    select opportunity_id from canonical.opportunity where type = 'renewal'
    union
    select opportunity_id from canonical.opportunity_line where component = 'renewal'
)
select
    opportunity.opportunity_id,                                             -- the deal
    min(opportunity.account_id) as account_id,                              -- the company
    min(opportunity.closed_on) as day,                                      -- closing day, expected while open
    min(opportunity.month) as month,                                        -- its month
    min(opportunity.known_month) as known_month,                            -- first month whose windows may count it
    count(sign.entity_id) > 0 as is_tendered,                               -- others were asked
    coalesce(bool_or(sign.is_statutory), false) or coalesce(
        bool_or(regexp_matches(
            lower(account.industry), '(public sector|public administration|government|offentlig|kommune|municipal)'
        )),
        false
    ) as is_exempt                                                          -- the law called for the tender
from renewed
join canonical.opportunity as opportunity on opportunity.opportunity_id = renewed.opportunity_id
join canonical.account as account on account.account_id = opportunity.account_id
-- Its own sign, or one of the account in the year before that is not another renewal's.
left join style.tender_sign as sign
    on sign.account_id = opportunity.account_id
    and sign.known_month <= opportunity.known_month
    and (
        sign.entity_id = opportunity.opportunity_id
        or (not sign.is_renewal and sign.day between opportunity.closed_on - 365 and opportunity.closed_on)
    )
where opportunity.closed_on is not null
group by opportunity.opportunity_id
