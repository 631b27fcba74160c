-- grain: opportunity_line_id
-- What a deal is made of: one deal may mix what is new with a renewal.
select
    line.source_system || ':' || line.source_id as opportunity_line_id, -- system:id
    opportunity.opportunity_id,                                         -- the deal
    opportunity.account_id,                                             -- the company; null when unmatched
    coalesce(line.component, 'unknown') as component,                   -- new, renewal, expansion, one_off, discount, unknown
    line.product,                                                       -- product
    line.amount,                                                        -- after discount, in its currency
    line.list_amount,                                                   -- before discount, in its currency
    line.discount_pct,                                                  -- 0-100
    upper(coalesce(line.currency, opportunity.currency)) as currency    -- ISO 4217
from staged.opportunity_line as line
join canonical.opportunity as opportunity
    on opportunity.opportunity_id = line.source_system || ':' || line.opportunity_source_id
where not coalesce(line.is_deleted, false)
