-- grain: join_key_l, join_key_r
-- The accounts that a company is looked for, each with the accounts of companies that it may be. What more companies
-- than `widest_block` share is passed over; a pair that a person rejected is none.
with known as (
    select
        record.unique_id,
        record.account_id,
        record.company_rank,
        block.kind,
        block.key
    from record
    join block using (unique_id)
    where record.account_id is not null
),
narrow as (
    select kind, key from known group by kind, key having count(distinct account_id) <= widest_block()
)
select distinct
    asked.unique_id as join_key_l,                  -- the account
    known.unique_id as join_key_r,                  -- an account of a company
    '0' as match_key                                -- for splink
from record as asked
join block using (unique_id)
join narrow on narrow.kind = block.kind and narrow.key = block.key
join known on known.kind = block.kind and known.key = block.key
left join given_rejection as rejection
    on rejection.system = asked.system
    and rejection.source_account_id = asked.source_account_id
    and rejection.account_id = known.account_id
where asked.is_asked
    and rejection.system is null
    -- A company of one CRM may be one of a CRM of more authority; inside one CRM its own merging decides.
    and (asked.account_id is null or known.company_rank < asked.crm_rank)
