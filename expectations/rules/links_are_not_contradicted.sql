-- severity: warning
-- Keys of these accounts name another company than the one that they are linked to, or two at once. A link that was made
-- stays until a person says otherwise in identity/links.csv.
select
    system,
    source_account_id,
    account_id,
    contradicting_id
from audit.identity
where contradicting_id is not null
