-- grain: unique_id, kind, key
-- What two accounts must share to be compared at all: a name, a word of it, a domain, a number or half of it, a street,
-- or a postal code with the beginning of a name.
with part as (
    select unique_id, 'name' as kind, ordered as key from record
    union all
    select unique_id, 'beginning', left(plain, 5) from record
    union all
    select unique_id, 'word', unnest(list_distinct(words)) from record
    union all
    select unique_id, 'domain', unnest(domains) from record
    union all
    select unique_id, 'label', unnest(labels) from record
    union all
    select unique_id, 'vat', vat from record
    union all
    -- One wrong digit leaves one half as it is.
    select unique_id, 'first_half', left(vat, 4) from record
    union all
    select unique_id, 'second_half', right(vat, 4) from record
    union all
    select unique_id, 'ean', ean from record
    union all
    select unique_id, 'place', postal_code || ' ' || left(plain, 3) from record
    union all
    select unique_id, 'place_word', postal_code || ' ' || unnest(list_distinct(words)) from record
    union all
    select unique_id, 'street', postal_code || ' ' || street from record
)
select distinct
    unique_id,                                  -- the account
    kind,                                       -- what is shared
    key                                         -- its value
from part
where length(key) >= 3
