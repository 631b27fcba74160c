-- grain: account_id, month
-- What is left of the window's revenue after the cost to serve: recurring revenue as it was earned and other lines by
-- month, less the minutes of work on tickets at the loaded rate of an hour ([costs] support_hour). Where minutes are
-- recorded for fewer than four in five of the window's tickets there is no value: the rest would count as free.
with other as (
    select
        line.account_id,
        coalesce(cast(date_trunc('month', line.period_start_on) as date), invoice.month) as month,
        sum(line.net_base) as net,
        count(line.fx_reason) as unconverted
    from canonical.invoice_line as line
    join canonical.invoice as invoice on invoice.invoice_id = line.invoice_id
    where line.kind in ('usage', 'one_off', 'service', 'discount', 'credit')
        -- A discount for a period is in the recurring revenue already.
        and (line.kind <> 'discount' or coalesce(line.period_end_on <= line.period_start_on, true))
        and line.account_id is not null
    group by line.account_id, coalesce(cast(date_trunc('month', line.period_start_on) as date), invoice.month)
),
monthly as (
    select account_id, month, mrr as revenue, cast(mrr is null as bigint) as unconverted, cast(mrr > 0 as bigint) as paid,
        0 as tickets, 0 as recorded, 0.0 as effort
    from value.revenue
    where has_paid
    union all
    select account_id, month, net, unconverted, 0, 0, 0, 0.0 from other
    union all
    select account_id, month, 0, 0, 0, tickets, recorded, coalesce(effort_min, 0) from value.effort_month
),
in_window as (
    select
        value_window.account_id,
        value_window.month,
        cast(sum(monthly.revenue) as double) as revenue,
        sum(monthly.unconverted) as unconverted,
        sum(monthly.paid) as paid,
        sum(monthly.tickets) as tickets,
        sum(monthly.recorded) as recorded,
        cast(sum(exact(monthly.effort)) as double) * max(run.support_hour) / 60 as cost
    from value.window as value_window
    cross join setting.run as run
    join monthly
        on monthly.account_id = value_window.account_id
        and monthly.month between value_window.window_start and value_window.window_end
    group by value_window.account_id, value_window.month
)
select
    account_id,                                                     -- the company
    month,                                                          -- the month that the value stands for
    revenue - cost as numerator,                                    -- revenue less cost to serve
    revenue as denominator,                                         -- revenue
    cast(paid as bigint) as n,                                      -- the evidence: months with recurring revenue
    case
        when unconverted = 0 and recorded >= 0.8 * tickets and revenue > 0 then (revenue - cost) / revenue
    end as raw_value,                                               -- share of revenue; null where something is not known
    cast(null as double) as raw_error                               -- a sum over all records is no sample
from in_window
