-- grain: account_id, month
-- How much an account's manager logs elsewhere: interactions per account-month over the manager's other accounts in the
-- style window. A diligent manager logs more, and so makes every customer look like a partner.
with owned as (
    select
        style_window.account_id,
        style_window.month,
        account.owner_id,
        activity.interactions,
        style_window.active_months
    from style.window as style_window
    join style.interaction_month as activity
        on activity.account_id = style_window.account_id and activity.month = style_window.month
    join canonical.account as account on account.account_id = style_window.account_id
    where account.owner_id is not null
),
managed as (
    select owner_id, month, sum(interactions) as interactions, sum(active_months) as active_months
    from owned
    group by owner_id, month
)
select
    owned.account_id,                                                                   -- the company
    owned.month,                                                                        -- last month of the window
    cast(managed.interactions - owned.interactions as double) as numerator,             -- interactions of the others
    cast(managed.active_months - owned.active_months as double) as denominator,         -- their account-months
    cast(managed.active_months - owned.active_months as bigint) as n,                   -- the evidence: account-months
    (managed.interactions - owned.interactions)
        / nullif(managed.active_months - owned.active_months, 0) as raw_value,          -- per account-month
    cast(null as double) as raw_error                                                   -- a count of all there is
from owned
join managed on managed.owner_id = owned.owner_id and managed.month = owned.month
