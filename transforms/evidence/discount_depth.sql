-- The recurring lines of the value window on which a discount was granted.
select
    'invoice line' as kind,
    line.invoice_line_id as id,
    line.period_start_on as day,
    line.discount_amount as number,
    concat('discount, of ', line.net + line.discount_amount, ' ', line.currency) as what
from canonical.invoice_line as line
join value.window as value_window
    on value_window.account_id = line.account_id
    and value_window.month = $month
    and cast(date_trunc('month', line.period_start_on) as date) between value_window.window_start and value_window.window_end
where line.account_id = $account_id and line.kind = 'recurring' and line.discount_amount > 0
