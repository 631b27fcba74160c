-- grain: system, source_account_id, rank
-- For each account that a company is looked for the likeliest ones. A company is as likely as the likeliest of its
-- accounts, in whichever system: one of them may know it by its new name.
with company as (
    select account_id, name from record where is_company
),
best as (
    select
        asked.system,
        asked.source_account_id,
        known.account_id,
        scored.probability,
        replace(scored.evidence, 'same name', case
            when lower(trim(asked.name)) = lower(trim(known.name)) then 'same name'
            else 'same name but for spelling or legal form'
        end) || case when known.is_company then '' else ' (as ' || known.system || ' knows it)' end as evidence,
        asked.name,
        row_number() over (
            partition by asked.unique_id, known.account_id
            order by scored.probability desc, known.is_company desc, known.unique_id
        ) as place
    from scored
    join record as asked on asked.unique_id = scored.unique_id_l
    join record as known on known.unique_id = scored.unique_id_r
    where scored.probability >= suggest_from()
),
ranked as (
    select
        best.*,
        row_number() over (
            partition by best.system, best.source_account_id order by best.probability desc, best.account_id
        ) as rank
    from best
    where best.place = 1
)
select
    ranked.system,                                  -- the system
    ranked.source_account_id,                       -- the account's id there
    ranked.account_id,                              -- the company that it may be
    ranked.probability,                             -- 0-1, four digits
    ranked.evidence,                                -- how the two agree and differ
    ranked.name,                                    -- the account's name
    company.name as company_name,                   -- the company's name
    cast(ranked.rank as integer) as rank            -- 1: the likeliest
from ranked
left join company using (account_id)
where ranked.rank <= per_account()
order by ranked.system, ranked.source_account_id, ranked.rank
