-- grain: system, kind
-- How far the purpose of meetings, calls and mails is known: from a field of the source, from words in the subject by the
-- lexicon, or not at all.
select
    source_system as system,                                                            -- the system
    kind,                                                                               -- meeting, call, email, note, task
    count(*) as activities,                                                             -- activities
    count(case when purpose_source = 'field' then 1 end) as by_field,                   -- with a field for it
    count(case when purpose_source = 'rule' then 1 end) as by_rule,                     -- by the lexicon
    count(case when purpose_source = 'unknown' then 1 end) as untagged,                 -- not known
    count(case when purpose_source = 'unknown' then 1 end) / count(*) as untagged_share -- share not known
from canonical.activity
group by source_system, kind
