-- The local state of one managed database: what its units have, beside the data it describes.

create schema tenantctl;
comment on schema tenantctl is 'Local state of tenantctl: which migrations and which tenants live in this database';

create table tenantctl.ledger (
  entry          bigint      generated always as identity primary key,
  unit           text        not null,
  id             integer     not null check (id > 0),
  name           text        not null,
  checksum       text        not null,
  -- A step that cannot run in a transaction is written as started, so that a crash leaves a trace.
  state          text        not null default 'applied' check (state in ('started', 'applied')),
  applied_at     timestamptz not null default now(),
  applied_by     text        not null default session_user,
  tool           text        not null,
  run            text,
  rolled_back_at timestamptz,
  rolled_back_by text
);
comment on table tenantctl.ledger is 'One row for each migration of each unit, written in the same transaction as the migration. Rolled-back rows stay as history.';

create unique index ledger_unit_id on tenantctl.ledger (unit, id) where rolled_back_at is null;

-- Errors of the claim below, so that callers can tell them apart:
--   TC010 another session migrates this unit now     TC012 a tenant is being moved out of or into it
--   TC011 the unit is not at the version expected

-- Takes the unit for the rest of the transaction and writes its ledger rows *before* the migrations run,
-- so that a rival clashes here and not half-way. Never waits: a blocking wait deadlocks with
-- CREATE INDEX CONCURRENTLY.
create function tenantctl.claim(
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
    set state = excluded.state, applied_at = pg_catalog.now(), tool = excluded.tool, run = excluded.run
    where ledger.state = 'started';
end $$;
comment on function tenantctl.claim is 'Takes a unit for one transaction and records what that transaction is about to apply';
