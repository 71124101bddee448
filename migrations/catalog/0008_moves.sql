-- How a move is to go, who drives it, and how far its way back has come.

alter table tenantctl_catalog.moves
  add column to_epoch      bigint,
  -- The version that both homes have.
  add column version_id    integer,
  add column max_pause_ms  integer not null default 250,
  add column max_lag_ms    integer not null default 1000,
  add column grace_ms      bigint  not null default 0,
  -- Why it stands where it is, for `moves show`: what the cut-over waited for, what failed last.
  add column note          text,
  -- Of a way back out of the grace period; once moved, it only goes forward as well.
  add column undo_state    text check (undo_state in ('syncing', 'moved', 'flipped')),
  add column undo_at       timestamptz,
  add column cut_overs     integer not null default 0,
  add column hashes        jsonb;

create function tenantctl_catalog.check_undo_step() returns trigger language plpgsql as $$
begin
  if old.undo_state in ('moved', 'flipped') and new.undo_state is distinct from old.undo_state
     and not (old.undo_state = 'moved' and new.undo_state = 'flipped') then
    raise exception using errcode = 'TC021',
      message = pg_catalog.format('the way back of move %s is %s; it cannot become %s', old.id, old.undo_state, coalesce(new.undo_state, 'nothing'));
  end if;
  if new.undo_state is distinct from old.undo_state and (new.undo_state is null or old.undo_state is null) then
    new.undo_at := case when new.undo_state is not null then pg_catalog.now() end;
  end if;
  return new;
end $$;

create trigger move_undo_step before update on tenantctl_catalog.moves
  for each row execute function tenantctl_catalog.check_undo_step();
