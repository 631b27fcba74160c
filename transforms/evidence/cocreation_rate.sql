-- The participation events of the style window.
select 'participation' as kind, participation.participation_id as id, participation.month as day, 1 as number, 'took part' as what
from style.participation as participation
join style.window as style_window
    on style_window.account_id = participation.account_id
    and style_window.month = $month
    and participation.month between style_window.window_start and style_window.month
where participation.account_id = $account_id
