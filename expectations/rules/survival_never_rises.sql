-- severity: critical
-- A Kaplan-Meier curve starts at 1 or below and only falls; nobody comes back from churn within it.
with stepped as (
    select as_of, style, day, survival, lag(survival, 1, 1) over (partition by as_of, style order by day) as before
    from mart.retention
)
select as_of, style, day, survival, before
from stepped
where survival > before + 1e-12 or survival < 0
