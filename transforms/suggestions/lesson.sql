-- grain: join_key_l, join_key_r
-- Pairs to learn from, picked by a hash of their ids: accounts of one company in two systems, and of two companies.
with known as (
    select unique_id, system, account_id, method, is_company, sha256(system || '|' || source_account_id) as hash
    from record
    where account_id is not null
),
certain as (
    select
        first.unique_id as join_key_l,
        second.unique_id as join_key_r,
        case when first.is_company then second.method else first.method end as method
    from known as first
    join known as second on second.account_id = first.account_id and second.unique_id > first.unique_id
    where first.system <> second.system and (first.is_company or second.is_company)
    order by first.hash, second.hash
    limit certain_pairs()
),
placed as (
    select unique_id, account_id, row_number() over (order by hash) as place, count(*) over () as accounts from known
),
aimed as (
    -- Each with those that stand next to it in the order of hashes, which is as good as any.
    select
        unique_id,
        account_id,
        (place + unnest(range(least((accounts - 1) // 2, 1 + other_pairs() // accounts)))) % accounts + 1 as place
    from placed
),
other as (
    select first.unique_id as join_key_l, second.unique_id as join_key_r
    from aimed as first
    join placed as second on second.place = first.place
    where second.account_id <> first.account_id
)
select
    join_key_l,                         -- an account
    join_key_r,                         -- another one
    '0' as match_key,                   -- for splink
    method                              -- how they are known to be one company; null: they are two
from certain
union all
select join_key_l, join_key_r, '0', null from other
