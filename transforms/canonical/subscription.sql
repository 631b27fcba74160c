-- grain: subscription_id
-- Subscriptions; their own amount counts as recurring revenue only where there are no invoice lines.
select
    subscription.source_system || ':' || subscription.source_id as subscription_id, -- system:id
    subscription.source_system,                                         -- the system
    xref.account_id,                                                    -- the company; null when unmatched
    subscription.product,                                               -- product or plan
    coalesce(subscription.status, 'unknown') as status,                 -- trial, active, past_due, cancelled, unknown
    subscription.started_on,                                            -- first day
    subscription.ended_on,                                              -- first day without service; null while it runs
    subscription.term_end_on,                                           -- when the term is up for renewal
    subscription.quantity,                                              -- seats
    coalesce(subscription.is_trial, subscription.status = 'trial', false) as is_trial, -- a trial
    subscription.mrr,                                                   -- monthly amount in its currency
    upper(subscription.currency) as currency,                           -- ISO 4217
    cast(
        subscription.mrr * case when upper(subscription.currency) = run.currency then 1 else fx.rate end as decimal(18, 4)
    ) as mrr_base,                                                      -- in the project's currency, by the day it started
    case
        when subscription.currency is null then 'currency_missing'
        when upper(subscription.currency) <> run.currency and fx.rate is null then 'fx_missing'
    end as fx_reason                                                    -- why there is no amount in the project's currency
from staged.subscription as subscription
cross join setting.run as run
left join canonical.fx_rate as fx
    on fx.from_currency = upper(subscription.currency)
    and subscription.started_on >= fx.valid_from and subscription.started_on < fx.valid_until
left join canonical.account_lookup as xref
    on xref.source_system = subscription.source_system and xref.source_account_id = subscription.source_account_id
where not coalesce(subscription.is_deleted, false)
