-- grain: source_system, source_account_id
-- Which company each account of a CRM is: itself, or the one that up to five steps lead to. Steps that lead in a circle
-- are not taken.
with master as (
    select source_system, source_account_id, source_system || ':' || source_account_id as account_id
    from canonical.account_source
    where is_master
)
select
    master.source_system,                                       -- the CRM
    master.source_account_id,                                   -- the account's id there
    case
        when first.into_id is null then master.account_id
        when second.into_id is null then first.into_id
        when third.into_id is null then second.into_id
        when fourth.into_id is null then third.into_id
        when fifth.into_id is null then fourth.into_id
        when sixth.into_id is null then fifth.into_id
        else master.account_id
    end as account_id,                                          -- the company
    case
        when first.into_id is null or sixth.into_id is not null then 'exact_id'
        else first.method
    end as method,                                              -- exact_id, manual, merged, external_id, vat, ean, domain, email_domain
    first.known_at                                              -- UTC; since when a key says so, or the day of the decision
from master
left join canonical.account_step as first on first.account_id = master.account_id
left join canonical.account_step as second on second.account_id = first.into_id
left join canonical.account_step as third on third.account_id = second.into_id
left join canonical.account_step as fourth on fourth.account_id = third.into_id
left join canonical.account_step as fifth on fifth.account_id = fourth.into_id
left join canonical.account_step as sixth on sixth.account_id = fifth.into_id
