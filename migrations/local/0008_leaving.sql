-- How a tenant leaves its home: who may know of a hold, and what every deletion asks first.

-- A legal hold is nobody's business but the operator's: its reason must not reach the tenant whom it is about.
create function tenantctl.hide_holds() returns void language plpgsql as $$
begin
  revoke select on tenantctl.placement from public;
  grant select (tenant, key, unit, tier, schema, role, plan, owner, labels, status, epoch, state, home, created_at, changed_at)
    on tenantctl.placement to public;
end $$;
revoke all on function tenantctl.hide_holds() from public;

create or replace function tenantctl.open_to_applications(p_setting text, p_type text)
returns void language plpgsql as $$
begin
  if exists (select from pg_catalog.pg_policy where polrelid = 'tenantctl.placement'::pg_catalog.regclass and polname = 'own') then
    return;
  end if;
  grant usage on schema tenantctl to public;
  grant select on tenantctl.ledger to public;
  perform tenantctl.hide_holds();
  alter table tenantctl.placement enable row level security;
  alter table tenantctl.ledger enable row level security;
  -- Through the type and back, so that a uuid in capitals is the same key here as in the tables.
  execute pg_catalog.format('create policy own on tenantctl.placement for select using (key = (nullif(current_setting(%L, true), '''')::%s)::text)',
    p_setting, p_type::pg_catalog.regtype);
  create policy own on tenantctl.ledger for select using (unit in (select unit from tenantctl.placement));
end $$;

-- A database that is open to applications already.
do $$
begin
  if exists (select from pg_catalog.pg_policy where polrelid = 'tenantctl.placement'::pg_catalog.regclass and polname = 'own') then
    perform tenantctl.hide_holds();
  end if;
end $$;

-- As before, without reading what it may not.
create or replace function tenantctl.admit(p_key text, p_epoch bigint default null)
returns boolean language plpgsql stable as $$
declare
  v_home record;
begin
  select tenant, state, epoch, home into v_home from tenantctl.placement where key = p_key
   order by state in ('active', 'moving') desc, epoch desc limit 1;
  if not found then
    raise exception using errcode = 'TC002', message = 'no tenant with this key lives here';
  end if;
  if v_home.state not in ('active', 'moving') then
    return tenantctl.refuse(v_home.tenant, v_home.state, v_home.epoch, v_home.home);
  end if;
  if p_epoch is not null and p_epoch <> v_home.epoch then
    raise exception using errcode = 'TC003',
      message = pg_catalog.format('tenant %s is at epoch %s, the caller expected %s', v_home.tenant, v_home.epoch, p_epoch),
      hint = 'Ask for its route again.';
  end if;
  return true;
end $$;

-- May rows of this home be deleted for good? Asked in the very transaction that deletes, and the row stays locked until
-- it ends: a hold that is placed meanwhile waits for that, and the next transaction finds it. The clock is this server's.
--   TC022 the tenant is on hold   TC023 it is not due yet by this clock   TC025 a tenant lives here that is not offboarding
create function tenantctl.permit_purge(p_tenant text, p_schema text, p_due timestamptz) returns void language plpgsql as $$
declare
  v_home record;
begin
  select status, state, hold into v_home from tenantctl.placement where tenant = p_tenant and schema = p_schema for share;
  if not found then return; end if;
  if v_home.hold is not null then
    raise exception using errcode = 'TC022', message = pg_catalog.format('tenant %s is on hold: nothing of it is deleted', p_tenant);
  end if;
  if v_home.status <> 'offboarding' or v_home.state not in ('suspended', 'moved') then
    raise exception using errcode = 'TC025',
      message = pg_catalog.format('tenant %s is %s here: its home is not one that is being left', p_tenant, v_home.status);
  end if;
  if pg_catalog.clock_timestamp() < p_due then
    raise exception using errcode = 'TC023',
      message = pg_catalog.format('by the clock of this server tenant %s is not due before %s', p_tenant, p_due);
  end if;
end $$;
revoke all on function tenantctl.permit_purge(text, text, timestamptz) from public;
