-- Proof of shape: what a unit looks like once it has certain migrations. A run compares each of its units with
-- this, and so do the process that resumes the run and the runs after it.

create table tenantctl_catalog.shapes (
  tier        text        not null,
  -- Of PostgreSQL: view definitions and other things are printed differently by each.
  major       integer     not null,
  -- Everything else that decides: the migrations up to the version, and the rules of tenancy.
  digest      text        not null,
  version_id  integer     not null,
  fingerprint text        not null,
  lines       jsonb       not null,
  -- Where it comes from: the files, played on an empty schema, or the units themselves where the files cannot tell.
  source      text        not null check (source in ('files', 'units')),
  unit        text,
  run         text        references tenantctl_catalog.runs,
  proved_at   timestamptz not null default now(),
  primary key (tier, major, digest),
  check ((source = 'units') = (unit is not null))
);
comment on table tenantctl_catalog.shapes is 'What a unit looks like at a version: the reference that units are compared with after their migration';
