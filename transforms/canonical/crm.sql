-- grain: source_system
-- The CRM systems in the order of their authority: as the project says (crm_order), else as they first delivered. A
-- company that several of them know from the same day on has the id that the first of them gives it.
select
    system.system as source_system,                                                     -- the system
    row_number() over (
        order by system.position nulls last, first.first_known_at nulls last, system.system
    ) as rank                                                                           -- 1: its ids go before the others'
from setting.system as system
left join canonical.first_landing as first on first.source_system = system.system
where system.kind = 'crm'
