-- grain: account_id, month
-- How recurring revenue moved over the 6 months that end with the month, and how much of it was price: of products in
-- force at both ends the change of their net price for the seats at the end. What remains is volume, also a product that
-- came or went, so that a plan swap is neither.
with priced as (
    select account_id, month, product, mrr, quantity
    from value.product_month
    where reason = '' and quantity > 0
),
price as (
    select
        closing.account_id,
        closing.month,
        cast(sum(exact(closing.mrr - opening.mrr * closing.quantity / opening.quantity)) as double) as price_change
    from priced as closing
    join priced as opening
        on opening.account_id = closing.account_id
        and opening.product = closing.product
        and opening.month = cast(closing.month - to_months(6) as date)
    group by closing.account_id, closing.month
)
select
    revenue.account_id,                                             -- the company
    revenue.month,                                                  -- last month of the window
    cast(revenue.opening_of_window as double) as opening,           -- mrr at its opening
    cast(revenue.mrr as double) as closing,                         -- mrr at its end
    coalesce(price.price_change, 0) as price_change                 -- of that the change of price
from value.revenue as revenue
left join price on price.account_id = revenue.account_id and price.month = revenue.month
where revenue.has_paid
