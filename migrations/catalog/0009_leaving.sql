-- How a tenant leaves: the steps of an offboarding, and that none of them is taken without an entry in the audit log.

alter table tenantctl_catalog.offboardings
  drop constraint offboardings_state_check,
  alter column state set default 'requested',
  add constraint offboardings_state_check
    check (state in ('requested', 'scheduled', 'purging', 'purged', 'certified', 'cancelled')),
  add column retain_ms   bigint  not null default 0 check (retain_ms >= 0),
  -- Is the tenant to be exported before it is due? Without its export it is not deleted then.
  add column wants_export boolean not null default false,
  -- When the first row may have gone; from then on there is no way back.
  add column begun_at    timestamptz,
  add constraint offboardings_begun check ((begun_at is null) = (state in ('requested', 'scheduled', 'cancelled')));

-- Provenance of a tenant that was restored: the sha256 of the manifest it came from.
alter table tenantctl_catalog.tenants add column restored_from text;

create table tenantctl_catalog.offboarding_steps (
  from_state text not null,
  to_state   text not null,
  primary key (from_state, to_state)
);
insert into tenantctl_catalog.offboarding_steps values
  ('requested', 'scheduled'), ('requested', 'cancelled'), ('scheduled', 'cancelled'),
  ('scheduled', 'purging'), ('purging', 'purged'), ('purged', 'certified');

create function tenantctl_catalog.check_offboarding_step() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception using errcode = 'TC020', message = 'an offboarding is cancelled or certified, never removed';
  end if;
  if (new.id, new.tenant, new.requested_at) is distinct from (old.id, old.tenant, old.requested_at) then
    raise exception using errcode = 'TC020', message = pg_catalog.format('offboarding %s is about another tenant', old.id);
  end if;
  if new.state <> old.state and not exists (
    select from tenantctl_catalog.offboarding_steps where from_state = old.state and to_state = new.state) then
    raise exception using errcode = 'TC021',
      message = pg_catalog.format('the offboarding of tenant %s is %s; it cannot become %s', old.tenant, old.state, new.state);
  end if;
  if new.state = 'purging' and old.state <> 'purging' and new.due_at > pg_catalog.clock_timestamp() then
    raise exception using errcode = 'TC023',
      message = pg_catalog.format('tenant %s is not due before %s', new.tenant, new.due_at);
  end if;
  return new;
end $$;

create trigger offboarding_step before update or delete on tenantctl_catalog.offboardings
  for each row execute function tenantctl_catalog.check_offboarding_step();

-- At the end of the transaction, because the audit entry comes last in it.
create function tenantctl_catalog.require_audit() returns trigger language plpgsql as $$
begin
  -- Arguments: the action that must stand in the audit log, and the member of its details that names the row.
  if not exists (
    select from tenantctl_catalog.audit
     where tenant = new.tenant and action = tg_argv[0] and details ->> tg_argv[1] = new.id) then
    raise exception using errcode = 'TC024',
      message = pg_catalog.format('nothing of tenant %s is changed here without an entry %s in the audit log', new.tenant, tg_argv[0]);
  end if;
  return null;
end $$;

create constraint trigger hold_audited after insert on tenantctl_catalog.holds
  deferrable initially deferred for each row execute function tenantctl_catalog.require_audit('hold.place', 'hold');
create constraint trigger hold_release_audited after update on tenantctl_catalog.holds
  deferrable initially deferred for each row when (new.released_at is not null)
  execute function tenantctl_catalog.require_audit('hold.release', 'hold');
create constraint trigger purge_audited after update on tenantctl_catalog.offboardings
  deferrable initially deferred for each row when (new.state = 'purging')
  execute function tenantctl_catalog.require_audit('tenant.purge', 'offboarding');

create function tenantctl_catalog.check_hold_change() returns trigger language plpgsql as $$
begin
  if (new.id, new.tenant, new.reason, new.author, new.placed_at)
     is distinct from (old.id, old.tenant, old.reason, old.author, old.placed_at) or old.released_at is not null then
    raise exception using errcode = 'TC020', message = 'a legal hold is released once, and otherwise never changed';
  end if;
  return new;
end $$;

create trigger hold_change before update on tenantctl_catalog.holds
  for each row execute function tenantctl_catalog.check_hold_change();

create function tenantctl_catalog.refuse_certificate_change() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'TC020', message = 'a certificate is written once and kept';
end $$;

create trigger certificate_kept before update or delete on tenantctl_catalog.certificates
  for each row execute function tenantctl_catalog.refuse_certificate_change();
create trigger certificates_no_truncate before truncate on tenantctl_catalog.certificates
  for each statement execute function tenantctl_catalog.refuse_certificate_change();
create trigger offboardings_no_truncate before truncate on tenantctl_catalog.offboardings
  for each statement execute function tenantctl_catalog.refuse_certificate_change();
create unique index certificates_one_each on tenantctl_catalog.certificates (offboarding);
create index certificates_tenant on tenantctl_catalog.certificates (tenant);
