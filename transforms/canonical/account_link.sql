-- grain: source_system, source_account_id
-- Which company each account outside the CRM is: as a person says, else as the first certain key said. Keys that named
-- two companies at once are a conflict, which only a person settles.
with other as (
    select source_system, source_account_id from canonical.account_source where not is_master
),
decided as (
    select decision.system as source_system, decision.source_account_id, company.account_id, decision.decided_on
    from setting.link_decision as decision
    join canonical.account_survivor as company
        on company.source_system || ':' || company.source_account_id = decision.account_id
    where decision.decision = 'accept'
),
rejected as (
    select decision.system as source_system, decision.source_account_id, company.account_id
    from setting.link_decision as decision
    join canonical.account_survivor as company
        on company.source_system || ':' || company.source_account_id = decision.account_id
    where decision.decision = 'reject'
),
candidate as (
    select
        match.source_system,
        match.source_account_id,
        company.account_id,
        min(match.known_at) as known_at,
        min_by(match.method, row(match.known_at, match.method)) as method,
        bool_or(match.stands) as stands
    from canonical.account_match as match
    join canonical.account_survivor as company
        on company.source_system = match.crm and company.source_account_id = match.crm_account_id
    left join rejected
        on rejected.source_system = match.source_system
        and rejected.source_account_id = match.source_account_id
        and rejected.account_id = company.account_id
    where rejected.account_id is null
    group by match.source_system, match.source_account_id, company.account_id
),
first_time as (
    select source_system, source_account_id, min(known_at) as known_at from candidate group by source_system, source_account_id
),
first as (
    select
        candidate.source_system,
        candidate.source_account_id,
        min(candidate.account_id) as account_id,
        min(candidate.method) as method,
        min(candidate.known_at) as known_at,
        count(*) as companies
    from candidate
    join first_time using (source_system, source_account_id, known_at)
    group by candidate.source_system, candidate.source_account_id
),
contradiction as (
    -- What today's keys say instead, or besides.
    select candidate.source_system, candidate.source_account_id, min(candidate.account_id) as account_id
    from candidate
    join first using (source_system, source_account_id)
    where candidate.stands and (candidate.account_id <> first.account_id or first.companies > 1)
    group by candidate.source_system, candidate.source_account_id
)
select
    other.source_system,                                            -- the system
    other.source_account_id,                                        -- the account's id there
    case
        when decided.account_id is not null then decided.account_id
        when first.companies = 1 then first.account_id
    end as account_id,                                              -- the company; null where nothing certain says which
    case
        when decided.account_id is not null then 'manual'
        when first.companies > 1 then 'conflict'
        else coalesce(first.method, 'unmatched')
    end as method,                                                  -- manual, external_id, vat, ean, domain, email_domain, conflict, unmatched
    case
        when decided.account_id is not null then cast(decided.decided_on as timestamp)
        when first.companies = 1 then first.known_at
    end as known_at,                                                -- UTC; since when a key says so, or the day of the decision
    contradiction.account_id as contradicting_id                    -- another company that its keys name; null: none
from other
left join decided using (source_system, source_account_id)
left join first using (source_system, source_account_id)
left join contradiction using (source_system, source_account_id)
