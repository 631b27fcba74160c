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
    upper(subscription.currency) as currency                            -- ISO 4217
from staged.subscription as subscription
left join canonical.account_xref as xref
    on xref.source_system = subscription.source_system and xref.source_account_id = subscription.source_account_id
where not coalesce(subscription.is_deleted, false)
