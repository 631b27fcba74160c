-- grain: account_id
-- Accounts of a CRM that are another account: as a person says, as the CRM merged them, or as a key named it in another
-- CRM when the account was first seen (later it is a company already, and only suggested to be another).
with master as (
    select source_system || ':' || source_account_id as account_id from canonical.account_source where is_master
),
rejected as (
    select system || ':' || source_account_id as account_id, account_id as into_id
    from setting.link_decision
    where decision = 'reject'
),
decided as (
    select system || ':' || source_account_id as account_id, account_id as into_id, 'manual' as method, 1 as rank,
        cast(decided_on as timestamp) as known_at
    from setting.link_decision
    where decision = 'accept'
),
matched as (
    select
        match.source_system || ':' || match.source_account_id as account_id,
        match.crm || ':' || match.crm_account_id as into_id,
        match.method,
        match.known_at,
        match.crm,
        other.first_known_at as founded_at
    from canonical.account_match as match
    join canonical.account_source as own
        on own.source_system = match.source_system and own.source_account_id = match.source_account_id
        and own.first_known_at = match.known_at
    join canonical.account_source as other
        on other.source_system = match.crm and other.source_account_id = match.crm_account_id
    where own.is_master
),
founder as (
    -- Of several CRMs that know it the first; two accounts there are a conflict and no step.
    select
        matched.account_id,
        matched.into_id,
        matched.method,
        matched.known_at,
        row_number() over (partition by matched.account_id order by matched.founded_at, crm.rank, matched.into_id) as place,
        count(*) over (partition by matched.account_id, matched.crm) as rivals
    from matched
    join canonical.crm as crm on crm.source_system = matched.crm
    left join rejected on rejected.account_id = matched.account_id and rejected.into_id = matched.into_id
    where rejected.account_id is null
),
step as (
    select account_id, into_id, method, rank, known_at from decided
    union all
    select
        merge.source_system || ':' || merge.source_account_id,
        merge.source_system || ':' || merge.survivor_id,
        'merged',
        2,
        null
    from canonical.account_merge as merge
    union all
    select account_id, into_id, method, 3, known_at from founder where place = 1 and rivals = 1
),
first_step as (
    select
        step.account_id,
        step.into_id,
        step.method,
        step.known_at,
        row_number() over (partition by step.account_id order by step.rank) as place
    from step
    join master as target on target.account_id = step.into_id
    left join rejected on rejected.account_id = step.account_id and rejected.into_id = step.into_id
    where rejected.account_id is null
)
select
    account_id,                 -- system:id of the account
    into_id,                    -- system:id of the account that it is
    method,                     -- manual, merged, external_id, vat, ean, domain, email_domain
    known_at                    -- UTC; since when a key says so, or the day of the decision
from first_step
-- Who says that an account is itself takes every other step from it.
where place = 1 and into_id <> account_id
