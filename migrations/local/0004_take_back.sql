-- The way back: one migration of one unit is taken out of the ledger, in the transaction that undoes it.

-- Takes the unit for the rest of the transaction, like tenantctl.claim, and marks its newest entry as rolled back; the
-- row stays as history. An entry that was only started counts as well: what it left behind is undone with it.
create function tenantctl.take_back(p_unit text, p_id integer) returns void language plpgsql as $$
declare
  v_newest integer;
begin
  if not pg_catalog.pg_try_advisory_xact_lock(1952804451, pg_catalog.hashtext(p_unit)) then
    raise exception using errcode = 'TC010',
      message = pg_catalog.format('unit %s is being migrated by another session', p_unit);
  end if;
  if exists (select from tenantctl.placement where unit = p_unit and state = 'moving') then
    raise exception using errcode = 'TC012',
      message = pg_catalog.format('a tenant of unit %s is being moved', p_unit);
  end if;
  select pg_catalog.max(id) into v_newest from tenantctl.ledger where unit = p_unit and rolled_back_at is null;
  if v_newest is distinct from p_id then
    raise exception using errcode = 'TC011',
      message = pg_catalog.format('unit %s is at migration %s, not at %s', p_unit, coalesce(v_newest::text, 'none'), p_id);
  end if;
  update tenantctl.ledger set rolled_back_at = pg_catalog.now(), rolled_back_by = session_user
   where unit = p_unit and id = p_id and rolled_back_at is null;
end $$;
comment on function tenantctl.take_back is 'Takes a unit for one transaction and marks its newest migration as rolled back';
