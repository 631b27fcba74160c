-- severity: critical
-- Opening revenue and the movements of the month, which carry their sign, give the closing revenue to half a cent; a
-- bridge that does not close hides revenue that came or went without a name.
select account_id, month, opening, new, reactivated, expanded, contracted, churned, closing
from mart.mrr_bridge
where coalesce(abs(opening + new + reactivated + expanded + contracted + churned - closing) > 0.005, true)
    or new < 0 or reactivated < 0 or expanded < 0 or contracted > 0 or churned > 0
