-- grain: account_id
-- How much an account's manager logs elsewhere: interactions per account-month over the manager's other accounts in the
-- style window before t0. A diligent manager logs more, and so makes everybody look like a partner.
with logged as (
    select interaction.account_id, count(distinct (interaction.day, interaction.thread_key)) as interactions
    from style.interaction as interaction
    cross join setting.run as run
    where interaction.month >= run.t0 - to_months(12) and interaction.month < run.t0
    group by interaction.account_id
),
exposed as (
    select account_month.account_id, count(*) as months
    from canonical.account_month as account_month
    cross join setting.run as run
    where account_month.month >= run.t0 - to_months(12) and account_month.month < run.t0
    group by account_month.account_id
),
owned as (
    select
        account.account_id,
        account.owner_id,
        coalesce(logged.interactions, 0) as interactions,
        coalesce(exposed.months, 0) as months
    from canonical.account as account
    left join logged on logged.account_id = account.account_id
    left join exposed on exposed.account_id = account.account_id
    where account.owner_id is not null
),
managed as (
    select owner_id, sum(interactions) as interactions, sum(months) as months from owned group by owner_id
)
select
    owned.account_id,                                                                   -- the company
    (managed.interactions - owned.interactions) / nullif(managed.months - owned.months, 0) as logging_intensity -- per account-month
from owned
join managed on managed.owner_id = owned.owner_id
