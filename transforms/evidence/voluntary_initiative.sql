-- The contacts of the style window that nobody was obliged to make.
select 'contact' as kind, contact.contact_id as id, contact.month as day, 1 as number, concat('started by ', contact.initiated_by) as what
from style.contact as contact
join style.window as style_window
    on style_window.account_id = contact.account_id
    and style_window.month = $month
    and contact.month between style_window.window_start and style_window.month
where contact.account_id = $account_id and not contact.is_obligatory
