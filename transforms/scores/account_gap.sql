-- grain: account_id, measure_id
-- Why a measure cannot exist for one account: no system that has the needed table knows the account, or its source
-- begins later than the account (`covered_from`: the first month with a whole source).
with supplier as (
    select distinct source.measure_id, source.table_name, connected.system
    from setting.measure_source as source
    join setting.connected as connected on connected.table_name = source.table_name
),
billing as (
    select distinct measure.measure_id, connected.table_name, connected.system
    from setting.measure as measure
    cross join setting.connected as connected
    where measure.measure_id in ('mrr', 'nrr', 'grr') and connected.table_name in ('invoice_line', 'subscription')
),
need as (
    select measure_id, table_name, system from supplier
    union all
    select measure_id, 'billing', system from billing
),
known as (
    select distinct account_id, source_system from canonical.account_xref where account_id is not null
),
table_known as (
    select
        account.account_id,
        need.measure_id,
        need.table_name,
        bool_or(known.account_id is not null) as is_known,
        max(coverage.first_month) as first_month
    from canonical.account as account
    cross join need
    left join known on known.account_id = account.account_id and known.source_system = need.system
    left join canonical.coverage as coverage on coverage.table_name = need.table_name
    group by account.account_id, need.measure_id, need.table_name
)
select
    account_id,                                                 -- the company
    measure_id,                                                 -- the measure
    not bool_and(is_known) as is_unmatched,                     -- some needed system does not know the account
    max(first_month) as covered_from                            -- first month that all needed tables cover; null: always
from table_known
group by account_id, measure_id
