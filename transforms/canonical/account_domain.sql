-- grain: source_system, source_account_id, domain
-- The business domains of each account: from its website, declared domains, e-mail address and its people's addresses.
-- Free-mail and other shared domains identify nobody and are left out.
with website as (
    select
        source_system,
        source_id,
        regexp_replace(regexp_replace(lower(trim(website)), '^[a-z]+://', '', 'g'), '^www[.]', '', 'g') as address
    from staged.account
),
found as (
    select source_system, source_id, regexp_extract(address, '^[^/:?#]+') as domain from website
    union all
    select source_system, source_id, lower(trim(unnest(domains))) from staged.account
    union all
    select source_system, source_id, lower(split_part(trim(email), '@', 2)) from staged.account
    union all
    select source_system, source_account_id, lower(split_part(trim(email), '@', 2))
    from staged.person
    where side = 'customer'
)
select distinct
    found.source_system,                        -- the system
    found.source_id as source_account_id,       -- the account's id there
    found.domain                                -- lower case, without www
from found
left join setting.shared_domain as shared on shared.domain = found.domain
where shared.domain is null and found.source_id is not null and found.domain like '%_._%'
