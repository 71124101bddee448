-- Moves: one tenant from one home to another, a state machine whose every step is stored.

create table tenantctl_catalog.moves (
  id             text        primary key,
  tenant         text        not null references tenantctl_catalog.tenants,
  from_epoch     bigint      not null,
  from_home      jsonb       not null,
  to_home        jsonb       not null,
  method         text        not null check (method in ('atomic', 'online', 'offline')),
  state          text        not null default 'planned' check (state in
                 ('planned', 'prepared', 'copying', 'syncing', 'verified', 'moved', 'flipped', 'grace', 'completed', 'aborted', 'undone')),
  actor          text        not null,
  reason         text,
  ticket         text,
  lease_owner    text,
  lease_until    timestamptz,
  rows_copied    bigint      not null default 0,
  verified       boolean     not null default false,
  write_pause_ms numeric,
  fence_wait_ms  numeric,
  copy_ms        numeric,
  grace_until    timestamptz,
  started_at     timestamptz not null default now(),
  finished_at    timestamptz,
  fault          jsonb,
  foreign key (tenant, from_epoch) references tenantctl_catalog.placements (tenant, epoch),
  check ((finished_at is null) = (state not in ('completed', 'aborted', 'undone')))
);
create unique index moves_one_per_tenant on tenantctl_catalog.moves (tenant) where finished_at is null;
create index moves_due on tenantctl_catalog.moves (grace_until) where state = 'grace';

create table tenantctl_catalog.move_tables (
  move     text   not null references tenantctl_catalog.moves,
  relation text   not null,
  state    text   not null default 'pending' check (state in ('pending', 'copying', 'copied', 'verified')),
  rows     bigint,
  hash     text,
  copied_to jsonb,
  primary key (move, relation)
);

create table tenantctl_catalog.move_steps (
  from_state text not null,
  to_state   text not null,
  primary key (from_state, to_state)
);
insert into tenantctl_catalog.move_steps values
  ('planned', 'prepared'), ('prepared', 'copying'), ('copying', 'syncing'), ('syncing', 'verified'),
  ('verified', 'syncing'), ('verified', 'moved'), ('prepared', 'moved'), ('moved', 'flipped'), ('flipped', 'grace'),
  ('grace', 'completed'), ('grace', 'undone'),
  ('planned', 'aborted'), ('prepared', 'aborted'), ('copying', 'aborted'), ('syncing', 'aborted'), ('verified', 'aborted');
comment on table tenantctl_catalog.move_steps is 'Once moved, a move only goes forward: no step leads from moved to aborted';

create function tenantctl_catalog.check_move_step() returns trigger language plpgsql as $$
begin
  if new.state <> old.state and not exists (
    select from tenantctl_catalog.move_steps where from_state = old.state and to_state = new.state) then
    raise exception using errcode = 'TC021',
      message = pg_catalog.format('move %s is %s; it cannot become %s', old.id, old.state, new.state);
  end if;
  return new;
end $$;

create trigger move_step before update on tenantctl_catalog.moves
  for each row execute function tenantctl_catalog.check_move_step();
