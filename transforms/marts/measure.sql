-- grain: measure_id
-- The catalogue of measures, and what mart.score_change calls the remainder of clipping.
with every as (
    select
        measure_id, label, label_da, description, side, cast(window_months as integer) as window_months, unit, direction,
        weight, minimum_evidence, formula
    from setting.measure
    union all
    select
        'clipped', 'Held at the edge of the scale', 'Holdt ved skalaens kant',
        'What a side''s mean lost or regained where it is held at the 1st or 99th percentile; in mart.score_change only.',
        'score', 1, 'ln', 'none', null, 'none', 'change of ln mutual value less what the components add up to'
)
select
    measure_id,                                     -- the measure's name in mart.account_month_measure
    label,                                          -- English label
    label_da,                                       -- Danish label
    description,                                    -- what it counts
    side,                                           -- style, supplier, customer, secondary, score
    window_months,                                  -- whole months that it looks back on
    unit,                                           -- share, index, ratio, per 90 days, per 100 invoices, per month, people, days, minutes, currency
    direction,                                      -- up: more is better (style: more of it); down: less is better
    weight,                                         -- how much it counts in its score, as configured; null: it enters none
    minimum_evidence,                               -- below it the value is null
    formula                                         -- how it is computed
from every
