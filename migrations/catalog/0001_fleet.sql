-- The fleet: where tenants can live, who they are, where each of them lives and has lived.
-- SQLSTATEs: TC020 this row is history and is never changed, TC021 a step between states that does not exist.

create schema tenantctl_catalog;
comment on schema tenantctl_catalog is 'The catalog of tenantctl: an index of the fleet. The truth about versions and placement is beside the data';

create table tenantctl_catalog.installation (
  only_row     boolean     primary key default true check (only_row),
  fleet        uuid        not null default gen_random_uuid(),
  installed_at timestamptz not null default now()
);
comment on table tenantctl_catalog.installation is 'One row: names this fleet, so that two fleets on one cluster tell their templates apart';
insert into tenantctl_catalog.installation default values;

create table tenantctl_catalog.clusters (
  name          text        primary key,
  region        text,
  labels        jsonb       not null default '{}',
  first_used_at timestamptz not null default now()
);
comment on table tenantctl_catalog.clusters is 'Clusters by name; their URLs come from configuration or environment and are never stored';

create table tenantctl_catalog.pools (
  name       text        primary key,
  cluster    text        not null references tenantctl_catalog.clusters,
  database   text        not null,
  schema     text        not null,
  created_at timestamptz not null default now(),
  unique (cluster, database, schema)
);

create table tenantctl_catalog.plans (
  name       text        primary key,
  tier       text        not null check (tier in ('pool', 'schema', 'database')),
  limits     jsonb       not null default '{}',
  changed_at timestamptz not null default now()
);

create table tenantctl_catalog.tenants (
  id           text        primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,47}$'),
  key          text        not null unique,
  status       text        not null default 'provisioning'
               check (status in ('provisioning', 'active', 'suspended', 'moving', 'offboarding', 'deleted')),
  plan         text        references tenantctl_catalog.plans,
  owner        text,
  labels       jsonb       not null default '{}' check (jsonb_typeof(labels) = 'object'),
  pinned_to    integer,
  created_at   timestamptz not null default now(),
  activated_at timestamptz,
  suspended_at timestamptz,
  deleted_at   timestamptz,
  check (status <> 'deleted' or deleted_at is not null)
);
comment on table tenantctl_catalog.tenants is 'Every tenant there is or was; a deleted one stays as a tombstone, because ids are never reused';

create index tenants_labels on tenantctl_catalog.tenants using gin (labels jsonb_path_ops);
create index tenants_not_active on tenantctl_catalog.tenants (status) where status <> 'active';

create table tenantctl_catalog.placements (
  tenant     text        not null references tenantctl_catalog.tenants,
  epoch      bigint      not null check (epoch > 0),
  tier       text        not null check (tier in ('pool', 'schema', 'database')),
  cluster    text        not null references tenantctl_catalog.clusters,
  database   text        not null,
  schema     text        not null,
  pool       text        references tenantctl_catalog.pools,
  role       text        not null,
  unit       text        not null,
  since      timestamptz not null default now(),
  until      timestamptz,
  primary key (tenant, epoch),
  check ((tier = 'pool') = (pool is not null))
);
comment on table tenantctl_catalog.placements is 'Where a tenant lives (until is null) and has lived; the epoch grows at each move';

create unique index placements_current on tenantctl_catalog.placements (tenant) where until is null;
create unique index placements_schema on tenantctl_catalog.placements (cluster, database, schema)
  where until is null and tier = 'schema';
create unique index placements_database on tenantctl_catalog.placements (cluster, database)
  where until is null and tier = 'database';
create index placements_home on tenantctl_catalog.placements (tier, cluster, pool, tenant) where until is null;
create index placements_unit on tenantctl_catalog.placements (unit) where until is null;

create table tenantctl_catalog.units (
  id           text        primary key,
  tier         text        not null check (tier in ('pool', 'schema', 'database')),
  cluster      text        not null references tenantctl_catalog.clusters,
  database     text        not null,
  schema       text        not null,
  ledger_key   text        not null,
  version_id   integer,
  version_name text,
  shape        text,
  seen_at      timestamptz not null default now(),
  check ((version_id is null) = (version_name is null))
);
comment on table tenantctl_catalog.units is 'What migrates together, with its version as last seen; the ledger beside the data is the truth';

create index units_place on tenantctl_catalog.units (cluster, database);
create index units_version on tenantctl_catalog.units (tier, version_id);

create table tenantctl_catalog.hook_deliveries (
  tenant     text        not null references tenantctl_catalog.tenants,
  hook       text        not null,
  ordinal    integer     not null,
  command    text        not null,
  attempts   integer     not null default 0,
  delivered_at timestamptz,
  failure    text,
  primary key (tenant, hook, ordinal)
);
comment on table tenantctl_catalog.hook_deliveries is 'Which hooks have run for a tenant, so that a failed one runs again and a delivered one does not';

-- The steps between states. `core/tenant.ts` holds the same table; a test compares the two.
create table tenantctl_catalog.tenant_steps (
  from_status text not null,
  to_status   text not null,
  primary key (from_status, to_status)
);
insert into tenantctl_catalog.tenant_steps values
  ('provisioning', 'active'),
  ('active', 'suspended'), ('active', 'moving'), ('active', 'offboarding'),
  ('suspended', 'active'), ('suspended', 'offboarding'),
  ('moving', 'active'),
  ('offboarding', 'active'), ('offboarding', 'suspended'), ('offboarding', 'deleted');

create function tenantctl_catalog.check_tenant_step() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception using errcode = 'TC020',
      message = pg_catalog.format('tenant %s cannot be removed from the catalog: an id is never reused', old.id),
      hint = 'Offboard the tenant; it stays as a tombstone.';
  end if;
  if tg_op = 'INSERT' then
    if new.status <> 'provisioning' then
      raise exception using errcode = 'TC021',
        message = pg_catalog.format('tenant %s begins as provisioning, not as %s', new.id, new.status);
    end if;
    return new;
  end if;
  if new.id <> old.id or new.key <> old.key then
    raise exception using errcode = 'TC020', message = pg_catalog.format('id and key of tenant %s never change', old.id);
  end if;
  if new.status <> old.status and not exists (
    select from tenantctl_catalog.tenant_steps where from_status = old.status and to_status = new.status) then
    raise exception using errcode = 'TC021',
      message = pg_catalog.format('tenant %s is %s; it cannot become %s', old.id, old.status, new.status);
  end if;
  return new;
end $$;

create trigger tenant_step before insert or update or delete on tenantctl_catalog.tenants
  for each row execute function tenantctl_catalog.check_tenant_step();

-- A placement is history once it has ended, and its place never changes.
create function tenantctl_catalog.check_placement() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.until is not null
     or (new.tenant, new.epoch, new.tier, new.cluster, new.database, new.schema, new.pool, new.role, new.unit, new.since)
        is distinct from
        (old.tenant, old.epoch, old.tier, old.cluster, old.database, old.schema, old.pool, old.role, old.unit, old.since) then
    raise exception using errcode = 'TC020',
      message = pg_catalog.format('placement %s of tenant %s is history: end it and add the next epoch', old.epoch, old.tenant);
  end if;
  return new;
end $$;

create trigger placement_history before update or delete on tenantctl_catalog.placements
  for each row execute function tenantctl_catalog.check_placement();

create function tenantctl_catalog.check_epoch() returns trigger language plpgsql as $$
begin
  if new.epoch <> 1 + coalesce((select pg_catalog.max(epoch) from tenantctl_catalog.placements where tenant = new.tenant), 0) then
    raise exception using errcode = 'TC021',
      message = pg_catalog.format('the next epoch of tenant %s is not %s', new.tenant, new.epoch);
  end if;
  return new;
end $$;

create trigger placement_epoch before insert on tenantctl_catalog.placements
  for each row execute function tenantctl_catalog.check_epoch();

create function tenantctl_catalog.refuse_truncate() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'TC020', message = pg_catalog.format('%s is never emptied: an id is never reused', tg_table_name);
end $$;

create trigger tenants_no_truncate before truncate on tenantctl_catalog.tenants
  for each statement execute function tenantctl_catalog.refuse_truncate();
create trigger placements_no_truncate before truncate on tenantctl_catalog.placements
  for each statement execute function tenantctl_catalog.refuse_truncate();
