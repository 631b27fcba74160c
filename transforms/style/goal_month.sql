-- grain: account_id, month
-- Months in which an account had at least one qualified shared goal. Confirmation and review count where the source has
-- such columns; where it has not, an owner at the customer has to do (goal_evidence = owner_only).
with source as (
    select
        source_system,
        count(confirmed_on) > 0 as has_confirmation,
        count(reviewed_on) > 0 as has_review
    from canonical.goal
    group by source_system
),
qualified as (
    select
        account_month.account_id,
        account_month.month,
        source.has_confirmation or source.has_review as is_confirmed
    from canonical.account_month as account_month
    join canonical.goal as goal on goal.account_id = account_month.account_id
    join source on source.source_system = goal.source_system
    where goal.has_target
        and goal.has_customer_owner
        and goal.due_on is not null
        and goal.status not in ('draft', 'cancelled')
        -- Pursued in the month, and known by then: what is written down afterwards was not shared at the time.
        and goal.start_on <= last_day(account_month.month)
        and goal.known_on <= last_day(account_month.month)
        -- What three companies have word for word was agreed with none of them.
        and (goal.template_from is null or goal.template_from > last_day(account_month.month))
        and coalesce(goal.ended_on, goal.due_on) >= account_month.month
        and (not source.has_confirmation or goal.confirmed_on <= last_day(account_month.month))
        and (
            not source.has_review
            -- The source keeps the latest review only; a review after the month shows that the goal was alive in it.
            or greatest(goal.reviewed_on, goal.confirmed_on) >= last_day(account_month.month) - 90
        )
)
select
    account_id,                                                             -- the company
    month,                                                                  -- the month
    case when bool_or(is_confirmed) then 'confirmed' else 'owner_only' end as goal_evidence -- how much the goal rests on
from qualified
group by account_id, month
