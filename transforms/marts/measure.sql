-- grain: measure_id
-- The catalogue of measures.
select
    measure_id,                                     -- the measure's name in mart.account_month_measure
    label,                                          -- English label
    label_da,                                       -- Danish label
    description,                                    -- what it counts
    side,                                           -- style, supplier, customer, secondary
    cast(window_months as integer) as window_months, -- whole months that it looks back on
    unit,                                           -- share, ratio, per 90 days, per 100 invoices, people, days, minutes, currency
    direction,                                      -- up: more is better (style: more of it); down: less is better
    minimum_evidence,                               -- below it the value is null
    formula                                         -- how it is computed
from setting.measure
