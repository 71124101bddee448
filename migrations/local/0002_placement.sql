-- Which tenants live in this database, and whether they may be served here.

create table tenantctl.placement (
  tenant     text        primary key,
  key        text        not null unique,
  unit       text        not null,
  tier       text        not null check (tier in ('pool', 'schema', 'database')),
  schema     text        not null,
  role       text        not null,
  plan       text,
  owner      text,
  labels     jsonb       not null default '{}' check (jsonb_typeof(labels) = 'object'),
  -- The tenant's status in the catalog, so that the catalog can be rebuilt from here.
  status     text        not null check (status in ('provisioning', 'active', 'suspended', 'moving', 'offboarding')),
  hold       jsonb,
  epoch      bigint      not null check (epoch > 0),
  -- What this home answers: making (nobody yet), active, moving (active, being copied), suspended, moved.
  state      text        not null default 'making' check (state in ('making', 'active', 'moving', 'suspended', 'moved')),
  -- The new home when state is moved: cluster, tier, database, schema, epoch. No secret.
  home       jsonb,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  check ((state = 'moved') = (home is not null))
);
comment on table tenantctl.placement is 'The tenants that live, or lived, in this database; enough to rebuild the catalog from the fleet';

create index placement_unit on tenantctl.placement (unit);
create index placement_moving on tenantctl.placement (unit) where state = 'moving';

-- What an application meets that comes to the wrong or a closed home:
--   TC001 the tenant has moved (DETAIL: the new home as JSON)   TC002 the tenant is suspended
create function tenantctl.refuse(p_tenant text, p_state text, p_epoch bigint, p_home jsonb)
returns boolean language plpgsql as $$
begin
  if p_state = 'moved' then
    raise exception using errcode = 'TC001',
      message = pg_catalog.format('tenant %s has moved', p_tenant),
      detail = p_home::text,
      hint = 'Ask for its route again and reconnect.';
  end if;
  raise exception using errcode = 'TC002',
    message = pg_catalog.format('tenant %s is %s', p_tenant, case p_state when 'making' then 'not ready' else p_state end),
    detail = pg_catalog.jsonb_build_object('tenant', p_tenant, 'state', p_state, 'epoch', p_epoch)::text;
end $$;
comment on function tenantctl.refuse is 'Raises TC001 (moved) or TC002 (suspended or not ready)';

-- May a session that says it acts for the tenant with this key work here? For applications outside pools,
-- where no policy asks on their behalf: one call when a session is opened.
create function tenantctl.admit(p_key text, p_epoch bigint default null)
returns boolean language plpgsql stable as $$
declare
  v_home tenantctl.placement;
begin
  select * into v_home from tenantctl.placement where key = p_key;
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
comment on function tenantctl.admit is 'True when the tenant may be served here; otherwise raises TC001, TC002 or TC003 (stale epoch)';

-- Applications may read what describes their own data: their placement, and the ledger of their unit. The
-- grants go to PUBLIC and the policies decide, because a grant for each tenant's role would make these access
-- lists grow with the fleet.
create function tenantctl.open_to_applications(p_setting text, p_type text)
returns void language plpgsql as $$
begin
  if exists (select from pg_catalog.pg_policy where polrelid = 'tenantctl.placement'::pg_catalog.regclass and polname = 'own') then
    return;
  end if;
  grant usage on schema tenantctl to public;
  grant select on tenantctl.placement, tenantctl.ledger to public;
  alter table tenantctl.placement enable row level security;
  alter table tenantctl.ledger enable row level security;
  -- Through the type and back, so that a uuid in capitals is the same key here as in the tables.
  execute pg_catalog.format('create policy own on tenantctl.placement for select using (key = (nullif(current_setting(%L, true), '''')::%s)::text)',
    p_setting, p_type::pg_catalog.regtype);
  create policy own on tenantctl.ledger for select using (unit in (select unit from tenantctl.placement));
end $$;
comment on function tenantctl.open_to_applications is 'Lets a session read its own placement and the ledger of its unit, and nothing else';
