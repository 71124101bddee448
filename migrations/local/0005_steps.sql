-- How far a migration is that takes more than one transaction, so that a crash does not start it over.

alter table tenantctl.ledger
  -- Statements that are done; for a batched migration, batches.
  add column steps_done integer not null default 0,
  -- The next one was sent, and no answer to it is recorded.
  add column step_begun boolean not null default false;

-- As before, and: a file of which no statement is done yet may be corrected. Its row gets the new checksum.
create or replace function tenantctl.claim(
  p_unit text, p_after integer, p_ids integer[], p_names text[], p_checksums text[],
  p_state text, p_tool text, p_run text
) returns void language plpgsql as $$
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
  select pg_catalog.max(id) into v_newest from tenantctl.ledger
   where unit = p_unit and rolled_back_at is null and state = 'applied';
  if v_newest is distinct from p_after then
    raise exception using errcode = 'TC011',
      message = pg_catalog.format('unit %s is at migration %s, not at %s', p_unit,
        coalesce(v_newest::text, 'none'), coalesce(p_after::text, 'none'));
  end if;
  insert into tenantctl.ledger (unit, id, name, checksum, state, tool, run)
  select p_unit, i, n, c, p_state, p_tool, p_run
    from unnest(p_ids, p_names, p_checksums) as file (i, n, c)
  on conflict (unit, id) where rolled_back_at is null do update
    set name = excluded.name, checksum = excluded.checksum, state = excluded.state,
        applied_at = pg_catalog.now(), tool = excluded.tool, run = excluded.run
    where ledger.state = 'started';
end $$;
