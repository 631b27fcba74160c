-- grain: goal_id
-- Goals whose title three or more companies share word for word, whatever the case and the signs: a text that our own
-- people copy from account to account, which nobody agreed on. It is one from the day on which the third company had it,
-- so that a copy made later changes no month of before.
with worded as (
    select
        goal.source_system || ':' || goal.source_id as goal_id,
        xref.account_id,
        trim(lower(regexp_replace(goal.title, '[^\pL\pN%]+', ' ', 'g'))) as words,
        local_day(
            greatest(goal.created_at, became_known(goal.known_at, first.first_known_at, goal.created_at)), run.timezone
        ) as known_on
    from staged.goal as goal
    cross join setting.run as run
    join canonical.first_landing as first on first.source_system = goal.source_system
    left join staged.plan as plan
        on plan.source_system = goal.source_system and plan.source_id = goal.plan_source_id
    join canonical.account_lookup as xref
        on xref.source_system = goal.source_system
        and xref.source_account_id = coalesce(goal.source_account_id, plan.source_account_id)
    where not coalesce(goal.is_deleted, false) and xref.account_id is not null and trim(goal.title) <> ''
),
had as (
    select words, account_id, min(known_on) as known_on from worded group by words, account_id
),
numbered as (
    select words, known_on, row_number() over (partition by words order by known_on, account_id) as company from had
)
select
    worded.goal_id,                         -- the goal
    numbered.known_on as template_from      -- day on which a third company had a goal of the same text
from worded
join numbered on numbered.words = worded.words and numbered.company = 3
