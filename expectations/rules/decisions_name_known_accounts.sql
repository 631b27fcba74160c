-- severity: warning
-- Decisions in identity/links.csv that could not be carried out: no system delivers such an account, or no CRM such a
-- company, or the account is linked in a circle.
select
    decision.system,
    decision.source_account_id,
    decision.account_id
from setting.link_decision as decision
left join audit.identity as identity
    on identity.system = decision.system and identity.source_account_id = decision.source_account_id
left join audit.identity as company on company.system || ':' || company.source_account_id = decision.account_id
where decision.decision = 'accept' and (identity.system is null or company.account_id is distinct from identity.account_id)
