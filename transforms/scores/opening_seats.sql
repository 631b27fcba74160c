-- grain: account_id
-- Seats in force when the style window before t0 opened, from the quantities of recurring lines.
select
    line.account_id,                            -- the company
    cast(sum(line.quantity) as double) as seats -- seats
from canonical.invoice_line as line
cross join setting.run as run
where line.kind = 'recurring'
    and line.account_id is not null
    and line.period_start_on <= cast(run.t0 - to_months(12) as date)
    and line.period_end_on > cast(run.t0 - to_months(12) as date)
group by line.account_id
