-- grain: account_id, measure_id
-- Why a measure cannot exist for one account: no system that has the needed table knows the account, or its source
-- begins later than the account (`covered_from`: the first month with a whole source). A list kept by hand names
-- accounts by the CRM's own ids, so it knows them all: one that it does not name has none.
with need as (
    select distinct
        source.measure_id,
        source.need,
        source.table_name,
        connected.system,
        coalesce(system.kind = 'other', false) as knows_all
    from setting.measure_source as source
    join setting.connected as connected on connected.table_name = source.table_name
    left join setting.system as system on system.system = connected.system
),
known as (
    select distinct account_id, source_system from canonical.account_xref where account_id is not null
),
need_known as (
    select
        account.account_id,
        need.measure_id,
        need.need,
        bool_or(known.account_id is not null or need.knows_all) as is_known,
        min(coverage.first_month) as first_month
    from canonical.account as account
    cross join need
    left join known on known.account_id = account.account_id and known.source_system = need.system
    left join canonical.coverage as coverage on coverage.table_name = need.table_name
    group by account.account_id, need.measure_id, need.need
)
select
    account_id,                                                 -- the company
    measure_id,                                                 -- the measure
    not bool_and(is_known) as is_unmatched,                     -- some needed system does not know the account
    max(first_month) as covered_from                            -- first month that all needed tables cover; null: always
from need_known
group by account_id, measure_id
