-- grain: unique_id
-- Every account in the form in which it is compared. A letter with a mark, its spelling with two letters and the bare
-- letter are one (Ærø, Aeroe, Aro); legal forms and joining words are left out, unless nothing else is there.
with account as (
    select
        row_number() over (order by given_account.system, given_account.source_account_id) as unique_id,
        given_account.*,
        given_account.system || ':' || given_account.source_account_id as own_id
    from given_account
),
company as (
    select own_id as account_id, system as company_system, crm_rank as company_rank from account where crm_rank is not null
),
lettered as (
    select unique_id, regexp_replace(folded(name), '\b([a-z]) ?/ ?([a-z])\b', '\1\2', 'g') as letters
    from account
),
worded as (
    select unique_id, string_split(trim(regexp_replace(replace(letters, '.', ''), '[^a-z0-9]+', ' ', 'g')), ' ') as every_word
    from lettered
),
telling as (
    select unique_id, every_word, list_filter(every_word, lambda word: not list_contains(legal_forms(), word)) as words
    from worded
    where every_word <> ['']
),
named as (
    select unique_id, case when len(words) > 0 then words else every_word end as words from telling
),
used_domain as (
    select domain.domain
    from given_domain as domain
    join account on account.system = domain.system and account.source_account_id = domain.source_account_id
    group by domain.domain
    having count(distinct account.account_id) <= widest_key()
),
domains as (
    select
        system,
        source_account_id,
        list_sort(list(distinct domain)) as domains,
        list_sort(list(distinct regexp_extract(domain, '^[^.]+'))) as labels
    from given_domain
    join used_domain using (domain)
    group by system, source_account_id
),
numbered as (
    select
        unique_id,
        account_id,
        regexp_replace(upper(regexp_replace(vat, '[^0-9A-Za-z]', '', 'g')), '^[A-Z]{2}', '') as vat
    from account
),
used_vat as (
    -- A number of one digit alone (00000000) stands for none.
    select vat
    from numbered
    where length(vat) >= 6 and length(replace(vat, left(vat, 1), '')) > 0
    group by vat
    having count(distinct account_id) <= widest_key()
),
ordered as (
    select unique_id, words, array_to_string(words, '') as plain, array_to_string(list_sort(list_distinct(words)), ' ') as ordered
    from named
),
called as (
    select account.unique_id, account.account_id, account.own_id, company.company_system, ordered.ordered
    from ordered
    join account using (unique_id)
    join company using (account_id)
),
shared_name as (
    select company_system, ordered, count(distinct account_id) as companies from called group by company_system, ordered
),
namesake as (
    -- Under its company's own name too: a slip of the pen in another system makes the company no rarer.
    select called.unique_id, greatest(own.companies, coalesce(first.companies, 0)) as namesakes
    from called
    join shared_name as own using (company_system, ordered)
    left join called as company on company.own_id = called.account_id
    left join shared_name as first
        on first.company_system = company.company_system and first.ordered = company.ordered
)
select
    account.unique_id,                                              -- its place in the order of systems and ids
    account.system,                                                 -- the system
    account.source_account_id,                                      -- the account's id there
    account.name,                                                   -- its name there
    account.account_id,                                             -- the company; null: nothing certain says which
    account.method,                                                 -- how the company is known
    account.crm_rank,                                               -- place of its system among the CRMs; null: it is none
    company.company_rank,                                           -- place of the CRM that gave the company its id
    account.own_id = account.account_id as is_company,              -- it is the account that gives the company its id
    account.account_id is null or (
        account.crm_rank > 1 and account.own_id = account.account_id and not account.is_deleted
    ) as is_asked,                                                  -- a company is looked for
    ordered.words,                                                  -- the name's words
    ordered.plain,                                                  -- the name as one word
    ordered.ordered,                                                -- the name's words in alphabetical order
    coalesce(namesake.namesakes, 0) as namesakes,                   -- companies of its CRM with its name or its company's, itself among them
    domains.domains,                                                -- domains, without those of many companies
    domains.labels,                                                 -- the same without their endings
    used_vat.vat,                                                   -- digits of the VAT number, also of a wrong one
    case when length(regexp_replace(account.ean, '[^0-9]', '', 'g')) = 13
        then regexp_replace(account.ean, '[^0-9]', '', 'g') end as ean, -- location number
    nullif(regexp_replace(folded(account.street), '[^a-z0-9]+', '', 'g'), '') as street, -- street
    nullif(regexp_replace(regexp_replace(folded(account.postal_code), '^[a-z]{1,2}-', ''), '[^a-z0-9]+', '', 'g'), '') as postal_code, -- postal code
    nullif(regexp_replace(folded(account.city), '[^a-z]+', '', 'g'), '') as city, -- city
    country_code(account.country) as country                        -- ISO code; null where it is not known
from account
left join company using (account_id)
left join ordered using (unique_id)
left join namesake on namesake.unique_id = account.unique_id
left join domains on domains.system = account.system and domains.source_account_id = account.source_account_id
left join numbered on numbered.unique_id = account.unique_id
left join used_vat on used_vat.vat = numbered.vat
order by account.unique_id
