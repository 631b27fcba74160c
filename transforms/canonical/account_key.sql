-- grain: source_system, source_account_id, method, key
-- Every certain key that an account ever had, and since when it is known. Free-mail and other shared domains identify
-- nobody and are left out; so are numbers whose check digit is wrong.
with version as (
    select
        source_system,
        source_id as source_account_id,
        known_at,
        trim(external_id) as external_id,
        vat_number(vat, country) as vat,
        location_number(ean) as ean,
        regexp_extract(regexp_replace(lower(trim(website)), '^[a-z]+://', '', 'g'), '^[^/:?#]+') as website,
        email,
        domains
    from staged.account_version
),
host as (
    select source_system, source_account_id, 'domain' as method, website as host, known_at from version
    union all
    select source_system, source_account_id, 'domain', unnest(domains), known_at from version
    union all
    select source_system, source_account_id, 'email_domain', split_part(email, '@', 2), known_at from version
    union all
    select source_system, source_account_id, 'email_domain', host, known_at from staged.contact_host
),
domain as (
    select host.source_system, host.source_account_id, host.method, registered.domain as key, host.known_at
    from host
    join (
        select host, registered_domain(host) as domain from (select distinct host from host where host is not null)
    ) as registered on registered.host = host.host
    left join setting.shared_domain as shared on shared.domain = registered.domain
    where shared.domain is null
),
found as (
    select source_system, source_account_id, 'id' as method, source_account_id as key, known_at from version
    union all
    -- Salesforce writes the same id with 15 (case-sensitive) or 18 characters.
    select source_system, source_account_id, 'id', left(source_account_id, 15), known_at
    from version
    where regexp_matches(source_account_id, '^[0-9A-Za-z]{18}$')
    union all
    select source_system, source_account_id, 'external_id', external_id, known_at from version
    union all
    select source_system, source_account_id, 'vat', vat, known_at from version
    union all
    select source_system, source_account_id, 'ean', ean, known_at from version
    union all
    select source_system, source_account_id, method, key, known_at from domain
)
select
    found.source_system,                        -- the system
    found.source_account_id,                    -- the account's id there
    found.method,                               -- id (its own), external_id (another system's), vat, ean, domain (declared), email_domain (of an address)
    found.key,                                  -- the key in one form
    min(found.known_at) as known_at             -- UTC; since when it is known
from found
where found.key <> ''
group by found.source_system, found.source_account_id, found.method, found.key
