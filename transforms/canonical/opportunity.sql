-- grain: opportunity_id
-- Sales opportunities with their company.
select
    opportunity.source_system || ':' || opportunity.source_id as opportunity_id, -- system:id
    xref.account_id,                                                    -- the company; null when unmatched
    coalesce(opportunity.type, 'unknown') as type,                      -- new, renewal, expansion, contraction, one_off, unknown
    opportunity.status,                                                 -- open, won, lost
    opportunity.amount,                                                 -- in its currency
    opportunity.list_amount,                                            -- before discount, in its currency
    opportunity.discount_amount,                                        -- discount, in its currency
    opportunity.discount_pct,                                           -- 0-100
    upper(opportunity.currency) as currency,                            -- ISO 4217
    opportunity.is_competitive,                                         -- a competitor is named; null = not recorded
    opportunity.has_rfp,                                                -- a tender or RFP; null = not recorded
    coalesce(opportunity.lost_reason, 'unknown') as lost_reason,        -- price, product, timing, no_decision, relationship, other, unknown
    opportunity.closed_on,                                              -- closing day, expected while open
    local_day(opportunity.created_at, run.timezone) as created_on,      -- day of creation in the project's zone
    cast(date_trunc('month', opportunity.closed_on) as date) as month,  -- month of the closing day
    greatest(
        cast(date_trunc('month', opportunity.closed_on) as date),
        local_month(
            became_known(
                opportunity.known_at,
                first.first_known_at,
                coalesce(opportunity.created_at, cast(opportunity.closed_on as timestamp))
            ),
            run.timezone
        )
    ) as known_month                                                    -- first month whose windows may count it
from staged.opportunity as opportunity
cross join setting.run as run
join canonical.first_landing as first on first.source_system = opportunity.source_system
left join canonical.account_lookup as xref
    on xref.source_system = opportunity.source_system and xref.source_account_id = opportunity.source_account_id
where not coalesce(opportunity.is_deleted, false)
