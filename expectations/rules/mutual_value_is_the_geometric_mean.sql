-- severity: critical
-- Mutual value = sqrt(supplier value * customer value) = mean of the sides * balance, and there only where both sides
-- are: a side that is not known is never filled from the other.
select account_id, month, supplier_value, customer_value, mutual_value, balance
from mart.relationship_month
where (supplier_value is null or customer_value is null) <> (mutual_value is null)
    or (mutual_value is null) <> (balance is null)
    or abs(mutual_value - sqrt(supplier_value * customer_value)) > 1e-9
    or abs(mutual_value - (supplier_value + customer_value) / 2 * balance) > 1e-9
