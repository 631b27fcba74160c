-- severity: critical
-- An interval that does not hold its own estimate was computed from something else.
select
    account_id,
    month,
    partnership_low,
    partnership,
    partnership_high,
    mutual_value_low,
    mutual_value,
    mutual_value_high
from mart.relationship_month
where partnership_low > partnership
    or partnership > partnership_high
    or mutual_value_low > mutual_value
    or mutual_value > mutual_value_high
