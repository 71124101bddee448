-- Runs: one fan-out of migrations over units, with everything that is needed to pause, resume, explain and
-- take it back. A run freezes its files and its units; what happens to each unit is a row.

create table tenantctl_catalog.runs (
  id          text        primary key,
  kind        text        not null check (kind in ('migrate', 'rollback')),
  status      text        not null default 'running'
              check (status in ('running', 'paused', 'waiting', 'succeeded', 'failed', 'partial', 'aborted')),
  status_reason text,
  target_id   integer,
  target_name text,
  of_run      text        references tenantctl_catalog.runs,
  selection   jsonb       not null default '[]',
  policy      jsonb       not null default '{}',
  files_hash  text        not null,
  actor       text        not null,
  reason      text,
  ticket      text,
  tool        text        not null,
  lease_owner text,
  lease_until timestamptz,
  started_at  timestamptz not null default now(),
  finished_at timestamptz,
  check ((finished_at is null) = (status in ('running', 'paused', 'waiting')))
);
create index runs_recent on tenantctl_catalog.runs (started_at desc);
create index runs_unfinished on tenantctl_catalog.runs (started_at) where finished_at is null;

create table tenantctl_catalog.run_migrations (
  run      text    not null references tenantctl_catalog.runs,
  id       integer not null,
  name     text    not null,
  checksum text    not null,
  phase    text    check (phase in ('expand', 'contract')),
  primary key (run, id)
);
comment on table tenantctl_catalog.run_migrations is 'The files of a run, frozen: a file that changes while the run lasts is refused';

create table tenantctl_catalog.run_waves (
  run         text        not null references tenantctl_catalog.runs,
  ordinal     integer     not null,
  name        text        not null,
  status      text        not null default 'pending'
              check (status in ('pending', 'awaiting-approval', 'awaiting-window', 'running', 'baking', 'succeeded', 'failed', 'rolled-back')),
  needs_approval boolean  not null default false,
  approved_by text,
  approved_at timestamptz,
  bake_until  timestamptz,
  started_at  timestamptz,
  finished_at timestamptz,
  primary key (run, ordinal),
  unique (run, name)
);

create table tenantctl_catalog.run_units (
  run          text        not null references tenantctl_catalog.runs,
  unit         text        not null,
  wave         integer     not null,
  ordinal      integer     not null,
  lane         text        not null,
  status       text        not null default 'pending'
               check (status in ('pending', 'running', 'succeeded', 'failed', 'skipped', 'rolled-back')),
  -- Why it is where it is, for `explain`: pinned, moving, gone, skipped by hand, the fault of the last attempt.
  reason       text,
  tenants      integer     not null default 0,
  from_version integer,
  to_version   integer,
  attempts     integer     not null default 0,
  fault        jsonb,
  duration_ms  integer,
  started_at   timestamptz,
  finished_at  timestamptz,
  primary key (run, unit),
  foreign key (run, wave) references tenantctl_catalog.run_waves (run, ordinal)
);
create index run_units_open on tenantctl_catalog.run_units (run, wave, ordinal) where status in ('pending', 'running');

create table tenantctl_catalog.run_unit_migrations (
  run         text        not null,
  unit        text        not null,
  id          integer     not null,
  status      text        not null check (status in ('applied', 'failed', 'rolled-back')),
  duration_ms integer,
  fault       jsonb,
  at          timestamptz not null default now(),
  primary key (run, unit, id),
  foreign key (run, unit) references tenantctl_catalog.run_units
);

create table tenantctl_catalog.run_decisions (
  run      text        not null references tenantctl_catalog.runs,
  seq      bigint      generated always as identity,
  at       timestamptz not null default now(),
  decision text        not null,
  reason   text        not null,
  facts    jsonb       not null default '{}',
  primary key (run, seq)
);
comment on table tenantctl_catalog.run_decisions is 'Every halt, throttle, approval and resume with its reason';
