-- grain: account_id, month, measure_id
-- Every measure with its evidence. A null value has a reason; a 0 is a real one.
select
    account_id,                                                             -- the company
    month,                                                                  -- last month of the measure's window
    measure_id,                                                             -- see mart.measure
    case when status = 'ok' then shrunk_value end as value,                 -- drawn towards the segment where evidence is weak
    raw_value,                                                              -- as counted
    numerator,                                                              -- adds up over accounts, where there is one
    denominator,                                                            -- adds up over accounts, where there is one
    case when status = 'ok' then standard_error end as standard_error,      -- of value; null for sums over all records
    n,                                                                      -- amount of evidence
    status,                                                                 -- ok, thin, null
    reason,                                                                 -- why the value is null
    case when status <> 'null' then 'event' end as known_at_source          -- event: known by the record's own creation time
from scores.shrunk
