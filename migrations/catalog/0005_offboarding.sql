-- Offboarding: the request, the hold that beats it, the deletion and its certificate.

create table tenantctl_catalog.offboardings (
  id           text        primary key,
  tenant       text        not null references tenantctl_catalog.tenants,
  requested_by text        not null,
  reason       text,
  basis        text,
  ticket       text,
  status_before text       not null check (status_before in ('active', 'suspended')),
  export       jsonb,
  due_at       timestamptz not null,
  state        text        not null default 'scheduled'
               check (state in ('scheduled', 'purging', 'purged', 'certified', 'cancelled')),
  progress     jsonb       not null default '{}',
  requested_at timestamptz not null default now(),
  finished_at  timestamptz,
  check ((finished_at is null) = (state not in ('certified', 'cancelled')))
);
create unique index offboardings_one_per_tenant on tenantctl_catalog.offboardings (tenant) where finished_at is null;
create index offboardings_due on tenantctl_catalog.offboardings (due_at) where finished_at is null;

create table tenantctl_catalog.holds (
  id          text        primary key,
  tenant      text        not null references tenantctl_catalog.tenants,
  reason      text        not null,
  author      text        not null,
  placed_at   timestamptz not null default now(),
  released_by text,
  released_at timestamptz,
  release_reason text,
  check ((released_at is null) = (released_by is null))
);
comment on table tenantctl_catalog.holds is 'Legal holds: while one stands, nothing of that tenant is deleted';
create index holds_standing on tenantctl_catalog.holds (tenant) where released_at is null;

create table tenantctl_catalog.certificates (
  id          text        primary key,
  tenant      text        not null references tenantctl_catalog.tenants,
  offboarding text        not null references tenantctl_catalog.offboardings,
  body        jsonb       not null,
  signature   text        not null,
  key_id      text        not null,
  issued_at   timestamptz not null default now()
);

create table tenantctl_catalog.audit_checkpoints (
  seq        bigint      primary key references tenantctl_catalog.audit,
  hash       text        not null,
  signature  text        not null,
  key_id     text        not null,
  written_to text,
  made_at    timestamptz not null default now()
);

-- Deleting and holding exclude each other in the database itself, whatever a program believes.
create function tenantctl_catalog.refuse_purge_on_hold() returns trigger language plpgsql as $$
begin
  if new.state in ('purging', 'purged') and (tg_op = 'INSERT' or new.state <> old.state) then
    perform from tenantctl_catalog.tenants where id = new.tenant for update;
    if exists (select from tenantctl_catalog.holds where tenant = new.tenant and released_at is null) then
      raise exception using errcode = 'TC022',
        message = pg_catalog.format('tenant %s is on hold: nothing of it is deleted', new.tenant);
    end if;
  end if;
  return new;
end $$;

create trigger offboarding_hold before insert or update on tenantctl_catalog.offboardings
  for each row execute function tenantctl_catalog.refuse_purge_on_hold();

-- A hold takes the same row, so that it cannot be placed in the moment in which a purge begins. It writes it, so
-- that a purge whose snapshot is older than the hold fails to lock it instead of looking past the hold.
create function tenantctl_catalog.serialise_hold() returns trigger language plpgsql as $$
begin
  update tenantctl_catalog.tenants set pinned_to = pinned_to where id = new.tenant;
  return new;
end $$;

create trigger hold_serialised before insert on tenantctl_catalog.holds
  for each row execute function tenantctl_catalog.serialise_hold();

-- A hold is released by name and for a reason; it does not vanish.
create function tenantctl_catalog.refuse_hold_removal() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'TC020', message = 'a legal hold is released, never removed';
end $$;

create trigger hold_kept before delete on tenantctl_catalog.holds
  for each row execute function tenantctl_catalog.refuse_hold_removal();
create trigger holds_no_truncate before truncate on tenantctl_catalog.holds
  for each statement execute function tenantctl_catalog.refuse_hold_removal();
