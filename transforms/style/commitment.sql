-- grain: action_id
-- Actions of a shared plan that came due: whose they were, and whether they were done by the day first agreed. Later due
-- dates excuse nothing. One that was entered when it was already due was no promise; and where five or more of a company
-- were closed on one day, somebody tidied up, and the day says nothing of when they were done.
with due as (
    select
        action_id,
        account_id,
        owner_side,
        first_due_on,
        done_on,
        month,
        known_month,
        count(case when done_on is not null then 1 end) over (partition by account_id, done_on) as done_together
    from canonical.plan_action
    where account_id is not null
        and owner_side in ('customer', 'vendor')
        and first_due_on is not null
        and status <> 'cancelled'
        and coalesce(created_on <= first_due_on, true)
)
select
    action_id,                                                              -- system:id
    account_id,                                                             -- the company
    owner_side,                                                             -- customer or vendor
    first_due_on as day,                                                    -- due date as first agreed
    month,                                                                  -- its month
    known_month,                                                            -- first month whose windows may count it
    case when done_on is null or done_together < 5 then coalesce(done_on <= first_due_on, false) end as is_on_time -- null: nobody knows
from due
