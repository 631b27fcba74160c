-- severity: critical
-- Where a score is missing, the row says why; an unexplained gap reads as a fault or, worse, as a zero.
select account_id, month
from mart.relationship_month
where (partnership is null or supplier_value is null or customer_value is null or mutual_value is null)
    and coalesce(trim(reason), '') = ''
