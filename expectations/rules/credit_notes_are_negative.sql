-- severity: critical
-- A credit note takes back: with a positive amount it would count twice the wrong way. Whether a source writes a minus is
-- for its contract to know.
select invoice_id
from canonical.invoice
where kind = 'credit_note' and (net > 0 or gross > 0)
