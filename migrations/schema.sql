-- What migrations/local and migrations/catalog add up to: made by test/schema-dump.test.ts, which also compares it.
-- Never edited by hand and never run. After a change there: npx vitest run test/schema-dump.test.ts --update

create schema tenantctl;
comment on schema tenantctl is 'Local state of tenantctl: which migrations and which tenants live in this database';

create table tenantctl.adopted (
  unit text not null,
  schema text not null,
  owner text,
  ledger jsonb,
  dual_write boolean default false not null,
  tolerated text[] default '{}'::text[] not null,
  adopted_at timestamp with time zone default now() not null,
  adopted_by text default SESSION_USER not null,
  catalog text,
  shut jsonb default '[]'::jsonb not null,
  constraint adopted_pkey PRIMARY KEY (unit),
  constraint adopted_check CHECK (((ledger IS NOT NULL) OR (NOT dual_write))),
  constraint adopted_shut_check CHECK ((jsonb_typeof(shut) = 'array'::text))
);
comment on table tenantctl.adopted is 'Units that another tool had made: whose tables they are, and which other ledger tells of them';

create table tenantctl.dirty (
  entry bigint generated always as identity not null,
  move text not null,
  side text not null,
  relation text not null,
  key text[] not null,
  constraint dirty_pkey PRIMARY KEY (entry)
);
CREATE INDEX dirty_move ON tenantctl.dirty USING btree (move, side);
comment on table tenantctl.dirty is 'Which rows of a moving tenant were written since they were last copied';

create table tenantctl.enforced (
  relation regclass not null,
  rls boolean not null,
  forced boolean not null,
  has_default boolean not null,
  required boolean not null,
  rights text[] not null,
  enforced_at timestamp with time zone default now() not null,
  enforced_by text default SESSION_USER not null,
  constraint enforced_pkey PRIMARY KEY (relation)
);
comment on table tenantctl.enforced is 'Pool tables that were there before they were enforced, and how they were';

create table tenantctl.ledger (
  entry bigint generated always as identity not null,
  unit text not null,
  id integer not null,
  name text not null,
  checksum text not null,
  state text default 'applied'::text not null,
  applied_at timestamp with time zone default now() not null,
  applied_by text default SESSION_USER not null,
  tool text not null,
  run text,
  rolled_back_at timestamp with time zone,
  rolled_back_by text,
  steps_done integer default 0 not null,
  step_begun boolean default false not null,
  constraint ledger_pkey PRIMARY KEY (entry),
  constraint ledger_id_check CHECK ((id > 0)),
  constraint ledger_state_check CHECK ((state = ANY (ARRAY['started'::text, 'applied'::text])))
);
CREATE UNIQUE INDEX ledger_unit_id ON tenantctl.ledger USING btree (unit, id) WHERE (rolled_back_at IS NULL);
comment on table tenantctl.ledger is 'One row for each migration of each unit, written in the same transaction as the migration. Rolled-back rows stay as history.';

create table tenantctl.look (
  schema oid not null,
  born text not null,
  likeness text not null,
  horizon xid8 not null,
  method text not null,
  constraint look_pkey PRIMARY KEY (schema)
);
comment on table tenantctl.look is 'The last look at each schema; may be emptied at any time';

create table tenantctl.move (
  move text not null,
  tenant text not null,
  schema text not null,
  side text not null,
  driver text not null,
  started_at timestamp with time zone default now() not null,
  constraint move_pkey PRIMARY KEY (move, side),
  constraint move_side_check CHECK ((side = ANY (ARRAY['source'::text, 'target'::text])))
);
comment on table tenantctl.move is 'The moves that this database takes part in, while anything of them is left here';

create table tenantctl.placement (
  tenant text not null,
  key text not null,
  unit text not null,
  tier text not null,
  schema text not null,
  role text not null,
  plan text,
  owner text,
  labels jsonb default '{}'::jsonb not null,
  status text not null,
  hold jsonb,
  epoch bigint not null,
  state text default 'making'::text not null,
  home jsonb,
  created_at timestamp with time zone default now() not null,
  changed_at timestamp with time zone default now() not null,
  constraint placement_pkey PRIMARY KEY (tenant, schema),
  constraint placement_check CHECK (((state = 'moved'::text) = (home IS NOT NULL))),
  constraint placement_epoch_check CHECK ((epoch > 0)),
  constraint placement_key_schema_key UNIQUE (key, schema),
  constraint placement_labels_check CHECK ((jsonb_typeof(labels) = 'object'::text)),
  constraint placement_state_check CHECK ((state = ANY (ARRAY['making'::text, 'active'::text, 'moving'::text, 'suspended'::text, 'moved'::text]))),
  constraint placement_status_check CHECK ((status = ANY (ARRAY['provisioning'::text, 'active'::text, 'suspended'::text, 'moving'::text, 'offboarding'::text]))),
  constraint placement_tier_check CHECK ((tier = ANY (ARRAY['pool'::text, 'schema'::text, 'database'::text])))
);
CREATE INDEX placement_moving ON tenantctl.placement USING btree (unit) WHERE ((state = 'moving'::text) OR (status = 'moving'::text));
CREATE INDEX placement_unit ON tenantctl.placement USING btree (unit);
comment on table tenantctl.placement is 'The tenants that live, or lived, in this database; enough to rebuild the catalog from the fleet';

create table tenantctl.set_aside (
  move text not null,
  side text not null,
  relation text not null,
  kind text not null,
  name text not null,
  definition text not null,
  constraint set_aside_pkey PRIMARY KEY (move, side, relation, kind, name),
  constraint set_aside_kind_check CHECK ((kind = ANY (ARRAY['foreign key'::text, 'trigger'::text, 'silenced trigger'::text])))
);
comment on table tenantctl.set_aside is 'Constraints and triggers that a move has set aside here, and how they are put back';

CREATE OR REPLACE FUNCTION tenantctl.admit(p_key text, p_epoch bigint DEFAULT NULL::bigint)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
AS $function$
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
end $function$;
comment on function tenantctl.admit(text,bigint) is 'True when the tenant may be served here; otherwise raises TC001, TC002 or TC003 (stale epoch)';

CREATE OR REPLACE FUNCTION tenantctl.claim(p_unit text, p_after integer, p_ids integer[], p_names text[], p_checksums text[], p_state text, p_tool text, p_run text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_newest integer;
begin
  if not pg_catalog.pg_try_advisory_xact_lock(1952804451, pg_catalog.hashtext(p_unit)) then
    raise exception using errcode = 'TC010',
      message = pg_catalog.format('unit %s is being migrated by another session', p_unit);
  end if;
  if exists (select from tenantctl.placement where unit = p_unit and (state = 'moving' or status = 'moving')) then
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
    set name = excluded.name, checksum = excluded.checksum, state = excluded.state,
        applied_at = pg_catalog.now(), tool = excluded.tool, run = excluded.run
    where ledger.state = 'started';
end $function$;
comment on function tenantctl.claim(text,integer,integer[],text[],text[],text,text,text) is 'Takes a unit for one transaction and records what that transaction is about to apply';

CREATE OR REPLACE FUNCTION tenantctl.complete_home(p_schema text, p_column text, p_setting text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  v_tables text[] := array(
    select c.relname
      from pg_depend d
      join pg_class c on c.oid = d.objid
      join pg_attribute a on a.attrelid = c.oid and a.attname = p_column and not a.attisdropped
     where d.refclassid = 'pg_namespace'::regclass and d.refobjid = tenantctl.schema_oid(p_schema)
       and d.classid = 'pg_class'::regclass
       and c.relkind in ('r', 'p') and not a.atthasdef and a.attidentity = '' and pg_has_role(c.relowner, 'member')
     order by c.relname);
begin
  if v_tables <> '{}' then
    perform tenantctl.default_tenant_column(p_schema, v_tables, p_column, p_setting);
  end if;
end $function$;
comment on function tenantctl.complete_home(text,text,text) is 'Gives the tenant column of every table of a home the session''s tenant as its default, where it has none';

CREATE OR REPLACE FUNCTION tenantctl.default_tenant_column(p_schema text, p_tables text[], p_column text, p_setting text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_table record;
begin
  for v_table in
    select c.relname, pg_catalog.format_type(a.atttypid, a.atttypmod) as type, pg_catalog.pg_get_userbyid(c.relowner) as owner
      from unnest(p_tables) as named (name)
      join pg_catalog.pg_class c on c.relname = named.name and c.relnamespace = tenantctl.schema_oid(p_schema)
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = p_column and not a.attisdropped
     where c.relkind in ('r', 'p') and not a.atthasdef and a.attidentity = ''
  loop
    if v_table.owner <> current_user then perform pg_catalog.set_config('role', v_table.owner, true); end if;
    execute pg_catalog.format('alter table %I.%I alter column %I set default nullif(current_setting(%L, true), '''')::%s',
      p_schema, v_table.relname, p_column, p_setting, v_table.type);
    if v_table.owner <> session_user then perform pg_catalog.set_config('role', 'none', true); end if;
  end loop;
end $function$;
comment on function tenantctl.default_tenant_column(text,text[],text,text) is 'Gives the tenant column of tables the session''s tenant as its default, where it has none';

CREATE OR REPLACE FUNCTION tenantctl.enforce_table(p_table oid, p_column text, p_setting text, p_role text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_table record;
  v_condition text;
  v_fleet text;
begin
  select c.relname, n.nspname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition,
         pg_catalog.pg_get_userbyid(c.relowner) as owner, a.attnotnull, a.atthasdef,
         pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
         c.xmin = pg_catalog.pg_current_xact_id()::xid as is_new,
         exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname = 'tenantctl_fleet') as has_fleet,
         exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname = 'tenantctl_tenant') as has_tenant,
         exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname = 'tenantctl_guard') as has_guard,
         exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid
           and p.polname not in ('tenantctl_fleet', 'tenantctl_tenant', 'tenantctl_guard', 'tenantctl_rescan')) as has_users,
         array(select x.privilege_type from pg_catalog.aclexplode(c.relacl) x join pg_catalog.pg_roles r on r.oid = x.grantee
           where r.rolname = p_role) as rights
    into v_table
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = p_column and not a.attisdropped
   where c.oid = p_table;

  -- A table that this very transaction makes was never anything else.
  if not v_table.is_new and not v_table.has_fleet then
    insert into tenantctl.enforced (relation, rls, forced, has_default, required, rights)
    values (p_table, v_table.relrowsecurity, v_table.relforcerowsecurity, v_table.atthasdef, v_table.attnotnull, v_table.rights)
    on conflict do nothing;
  end if;

  v_condition := tenantctl.tenant_condition(p_column, v_table.type, p_setting, v_table.nspname);
  v_fleet := tenantctl.fleet_condition();
  -- What only an owner may do is done as it: the administrator need not inherit its rights.
  perform pg_catalog.set_config('role', v_table.owner, true);
  if not v_table.atthasdef and not v_table.relispartition then
    execute pg_catalog.format('alter table %I.%I alter column %I set default nullif(current_setting(%L, true), '''')::%s',
      v_table.nspname, v_table.relname, p_column, p_setting, v_table.type);
  end if;
  if not v_table.attnotnull then
    execute pg_catalog.format('alter table %I.%I alter column %I set not null', v_table.nspname, v_table.relname, p_column);
  end if;
  if not v_table.relrowsecurity then
    execute pg_catalog.format('alter table %I.%I enable row level security', v_table.nspname, v_table.relname);
  end if;
  if not v_table.relforcerowsecurity then
    execute pg_catalog.format('alter table %I.%I force row level security', v_table.nspname, v_table.relname);
  end if;
  if not v_table.has_fleet then
    execute pg_catalog.format('create policy tenantctl_fleet on %I.%I for all to %I using (%s) with check (%4$s)',
      v_table.nspname, v_table.relname, v_table.owner, v_fleet);
  end if;
  if not v_table.has_tenant and not v_table.has_users then
    execute pg_catalog.format('create policy tenantctl_tenant on %I.%I for all using (%s) with check (%3$s)',
      v_table.nspname, v_table.relname, v_condition);
  elsif v_table.has_users and not v_table.has_guard then
    -- Permissive policies of the user's stay as they are; none of them can widen what the application sees, be
    -- it itself or through a view or function of the owner's.
    execute pg_catalog.format('create policy tenantctl_guard on %I.%I as restrictive for all to %I, %I using (%s) with check (%5$s)',
      v_table.nspname, v_table.relname, p_role, v_table.owner,
      pg_catalog.format('(%s) or (%s)', v_fleet, v_condition));
  end if;
  -- A partition is reached through its parent; a grant on it would be a second door. Who owns a table has these rights.
  if not v_table.relispartition and v_table.owner <> p_role then
    execute pg_catalog.format('grant select, insert, update, delete on %I.%I to %I', v_table.nspname, v_table.relname, p_role);
  end if;
  perform pg_catalog.set_config('role', 'none', true);
end $function$;
comment on function tenantctl.enforce_table(oid,text,text,text) is 'Row-level security, default and grants for one table of a pool that lacks them';

CREATE OR REPLACE FUNCTION tenantctl.fleet_condition()
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select pg_catalog.format('(select session_user = %L and current_setting(''tenantctl.scope'', true) = ''fleet'')', session_user)
$function$;

CREATE OR REPLACE FUNCTION tenantctl.gate()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  -- Arguments: move, tenant, schema, administrator.
  v_home tenantctl.placement;
begin
  if not (session_user = tg_argv[3] and coalesce(current_setting('tenantctl.moving', true), '') = tg_argv[0]) then
    perform pg_advisory_xact_lock_shared(1952804456, hashtext(tg_argv[1]));
    if current_setting('transaction_isolation') = 'read committed' then
      select * into v_home from tenantctl.placement where tenant = tg_argv[1] and schema = tg_argv[2];
    else
      select * into v_home from tenantctl.placement where tenant = tg_argv[1] and schema = tg_argv[2] for share;
    end if;
    -- A migration of the whole unit changes the rows of a home that is shut as well; it waits at the lock like others.
    if (v_home.state is null or v_home.state not in ('active', 'moving'))
       and not (session_user = tg_argv[3] and coalesce(current_setting('tenantctl.scope', true), '') = 'fleet') then
      perform tenantctl.refuse(tg_argv[1], coalesce(v_home.state, 'making'), v_home.epoch, v_home.home);
    end if;
  end if;
  if tg_op = 'DELETE' then return old; end if;
  return new;
end $function$;
comment on function tenantctl.gate() is 'Lets writes of a moving tenant pass while its home is open, and holds them during the cut-over';

CREATE OR REPLACE FUNCTION tenantctl.grant_views_and_sequences(p_schema text, p_role text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_object record;
begin
  for v_object in
    select c.relname, c.relkind from pg_catalog.pg_class c
     where c.relnamespace = tenantctl.schema_oid(p_schema)
       and ((c.relkind = 'v' and not pg_catalog.has_table_privilege(p_role, c.oid, 'select'))
         or (c.relkind = 'S' and not pg_catalog.has_sequence_privilege(p_role, c.oid, 'usage')))
  loop
    if v_object.relkind = 'v' then
      execute pg_catalog.format('grant select on %I.%I to %I', p_schema, v_object.relname, p_role);
    else
      execute pg_catalog.format('grant usage on sequence %I.%I to %I', p_schema, v_object.relname, p_role);
    end if;
  end loop;
end $function$;

CREATE OR REPLACE FUNCTION tenantctl.hide_holds()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  revoke select on tenantctl.placement from public;
  grant select (tenant, key, unit, tier, schema, role, plan, owner, labels, status, epoch, state, home, created_at, changed_at)
    on tenantctl.placement to public;
end $function$;

CREATE OR REPLACE FUNCTION tenantctl.listed_name(p_table oid)
 RETURNS name
 LANGUAGE sql
 STABLE
AS $function$
  select relname from pg_catalog.pg_class
   where oid = coalesce(pg_catalog.pg_partition_root(p_table), p_table::pg_catalog.regclass)
$function$;

CREATE OR REPLACE FUNCTION tenantctl.open_table(p_table oid, p_column text, p_role text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_name text;
  v_owner name;
  v_before tenantctl.enforced;
  v_has_users boolean;
  v_added text;
begin
  select pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.pg_get_userbyid(c.relowner),
         exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid
           and p.polname not in ('tenantctl_fleet', 'tenantctl_tenant', 'tenantctl_guard', 'tenantctl_rescan'))
    into v_name, v_owner, v_has_users
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = p_table;
  delete from tenantctl.enforced where relation = p_table returning * into v_before;

  perform pg_catalog.set_config('role', v_owner, true);
  execute pg_catalog.format('drop policy if exists tenantctl_tenant on %s', v_name);
  execute pg_catalog.format('drop policy if exists tenantctl_guard on %s', v_name);
  if v_before.relation is not null or not v_has_users then
    execute pg_catalog.format('drop policy if exists tenantctl_fleet on %s', v_name);
  end if;
  if not coalesce(v_before.rls, v_has_users) then
    execute pg_catalog.format('alter table %s disable row level security', v_name);
  end if;
  if not coalesce(v_before.forced, v_has_users) then
    execute pg_catalog.format('alter table %s no force row level security', v_name);
  end if;
  if v_before.relation is not null and not v_before.has_default then
    execute pg_catalog.format('alter table %s alter column %I drop default', v_name, p_column);
  end if;
  if v_before.relation is not null and not v_before.required then
    execute pg_catalog.format('alter table %s alter column %I drop not null', v_name, p_column);
  end if;
  select pg_catalog.string_agg(r, ', ') into v_added
    from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r where r <> all (v_before.rights);
  if v_before.relation is not null and v_added is not null and p_role <> v_owner then
    execute pg_catalog.format('revoke %s on %s from %I', v_added, v_name, p_role);
  end if;
  perform pg_catalog.set_config('role', 'none', true);
end $function$;
comment on function tenantctl.open_table(oid,text,text) is 'Takes row-level security of ours off one table of a pool: every tenant reaches the rows of all others';

CREATE OR REPLACE FUNCTION tenantctl.open_to_applications(p_setting text, p_type text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$;
comment on function tenantctl.open_to_applications(text,text) is 'Lets a session read its own placement and the ledger of its unit, and nothing else';

CREATE OR REPLACE FUNCTION tenantctl.permit_purge(p_tenant text, p_schema text, p_due timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION tenantctl.refuse(p_tenant text, p_state text, p_epoch bigint, p_home jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
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
end $function$;
comment on function tenantctl.refuse(text,text,bigint,jsonb) is 'Raises TC001 (moved) or TC002 (suspended or not ready)';

CREATE OR REPLACE FUNCTION tenantctl.refuse_truncate()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  -- Arguments: move, administrator.
  if session_user = tg_argv[1] and coalesce(pg_catalog.current_setting('tenantctl.moving', true), '') = tg_argv[0] then
    return null;
  end if;
  raise exception using errcode = 'TC013',
    message = pg_catalog.format('table %I.%I holds rows of a tenant that is being moved; it cannot be truncated', tg_table_schema, tg_table_name),
    hint = 'Wait until the move has ended, or use DELETE.';
end $function$;

CREATE OR REPLACE FUNCTION tenantctl.schema_oid(p_schema text)
 RETURNS oid
 LANGUAGE sql
 STABLE
AS $function$
  select oid from pg_catalog.pg_namespace where nspname = p_schema
$function$;

CREATE OR REPLACE FUNCTION tenantctl.secure_pool(p_schema text, p_column text, p_setting text, p_role text, p_mode text, p_shared text[], p_enforce text[] DEFAULT '{}'::text[])
 RETURNS SETOF text
 LANGUAGE plpgsql
AS $function$
declare
  v_table record;
  v_mode text;
  v_lack text[];
begin
  if p_mode = 'off' and p_enforce = '{}' then return; end if;
  for v_table in
    select c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, tenantctl.listed_name(c.oid) as listed,
           a.attnum is not null as tenanted, a.attnotnull,
           exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname not in ('tenantctl_fleet', 'tenantctl_guard', 'tenantctl_rescan')) as has_policy
      from pg_catalog.pg_class c
      left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = p_column and not a.attisdropped
     where c.relnamespace = tenantctl.schema_oid(p_schema) and c.relkind in ('r', 'p')
     order by c.relname
  loop
    v_mode := case when p_mode in ('observe', 'off') and v_table.listed = any (p_enforce) then 'enforce' else p_mode end;
    continue when v_mode = 'off';
    if not v_table.tenanted then
      if p_mode in ('enforce', 'require') and not v_table.relispartition then
        execute pg_catalog.format('grant select on %I.%I to %I', p_schema, v_table.relname, p_role);
        if v_table.relname = any (p_shared) then
          execute pg_catalog.format('grant insert, update, delete on %I.%I to %I', p_schema, v_table.relname, p_role);
        end if;
      end if;
      continue;
    end if;

    v_lack := pg_catalog.array_remove(array[
      case when not v_table.relrowsecurity then 'row-level security is not enabled' end,
      case when not v_table.relforcerowsecurity then 'row-level security is not forced on the owner' end,
      case when not v_table.has_policy then 'it has no policy' end,
      case when not v_table.attnotnull then pg_catalog.format('column %I may be NULL', p_column) end], null);
    if v_lack <> '{}' then
      if v_mode = 'require' then
        raise exception using errcode = 'TC030',
          message = pg_catalog.format('table %I.%I: %s', p_schema, v_table.relname, pg_catalog.array_to_string(v_lack, ', ')),
          schema = p_schema, table = v_table.relname,
          hint = 'The pool''s rls is "require": let the migration itself do it, or set "enforce".';
      end if;
      return next pg_catalog.format('%I.%I: %s', p_schema, v_table.relname, pg_catalog.array_to_string(v_lack, ', '));
    end if;
    if v_mode <> 'observe' then
      perform tenantctl.enforce_table(v_table.oid, p_column, p_setting, p_role);
    end if;
  end loop;

  if p_mode = 'enforce' or p_mode = 'require' then
    perform tenantctl.grant_views_and_sequences(p_schema, p_role);
  end if;
end $function$;
comment on function tenantctl.secure_pool(text,text,text,text,text,text[],text[]) is 'Row-level security, defaults and grants for every relation of a pool that lacks them';

CREATE OR REPLACE FUNCTION tenantctl.tables_holding(p_schema text, p_column text, p_key text)
 RETURNS SETOF text
 LANGUAGE plpgsql
AS $function$
declare
  v_table record;
  v_found boolean;
begin
  for v_table in
    select c.relname, pg_catalog.format_type(a.atttypid, a.atttypmod) as type
      from pg_catalog.pg_class c
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = p_column and not a.attisdropped
     where c.relnamespace = tenantctl.schema_oid(p_schema) and c.relkind in ('r', 'p') and not c.relispartition
  loop
    execute pg_catalog.format('select exists (select from %I.%I where %I = %L::%s)',
      p_schema, v_table.relname, p_column, p_key, v_table.type) into v_found;
    if v_found then return next v_table.relname; end if;
  end loop;
end $function$;
comment on function tenantctl.tables_holding(text,text,text) is 'The tables of a pool that hold a row of this tenant';

CREATE OR REPLACE FUNCTION tenantctl.take_back(p_unit text, p_id integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_newest integer;
begin
  if not pg_catalog.pg_try_advisory_xact_lock(1952804451, pg_catalog.hashtext(p_unit)) then
    raise exception using errcode = 'TC010',
      message = pg_catalog.format('unit %s is being migrated by another session', p_unit);
  end if;
  if exists (select from tenantctl.placement where unit = p_unit and (state = 'moving' or status = 'moving')) then
    raise exception using errcode = 'TC012',
      message = pg_catalog.format('a tenant of unit %s is being moved', p_unit);
  end if;
  select pg_catalog.max(id) into v_newest from tenantctl.ledger where unit = p_unit and rolled_back_at is null;
  if v_newest is distinct from p_id then
    raise exception using errcode = 'TC011',
      message = pg_catalog.format('unit %s is at migration %s, not at %s', p_unit, coalesce(v_newest::text, 'none'), p_id);
  end if;
  update tenantctl.ledger set rolled_back_at = pg_catalog.now(), rolled_back_by = session_user
   where unit = p_unit and id = p_id and rolled_back_at is null;
end $function$;
comment on function tenantctl.take_back(text,integer) is 'Takes a unit for one transaction and marks its newest migration as rolled back';

CREATE OR REPLACE FUNCTION tenantctl.tenant_condition(p_column text, p_type text, p_setting text, p_schema text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select pg_catalog.format(
    '%1$I = %2$s and %1$I = (select case when home.state in (''active'', ''moving'') then %2$s '
    'else tenantctl.refuse(home.tenant, home.state, home.epoch, home.home)::text::%3$s end '
    'from tenantctl.placement home where home.key = (%2$s)::text and pg_catalog.quote_ident(home.schema) = %4$s)',
    p_column, pg_catalog.format('nullif(current_setting(%L, true), '''')::%s', p_setting, p_type), p_type,
    pg_catalog.format('%L::pg_catalog.regnamespace::text', pg_catalog.quote_ident(p_schema)))
$function$;

create schema tenantctl_catalog;
comment on schema tenantctl_catalog is 'The catalog of tenantctl: an index of the fleet. The truth about versions and placement is beside the data';

create table tenantctl_catalog.audit (
  seq bigint not null,
  at timestamp with time zone not null,
  action text not null,
  phase text default 'done'::text not null,
  tenant text,
  unit text,
  run text,
  actor text not null,
  database_user text not null,
  reason text,
  ticket text,
  details jsonb default '{}'::jsonb not null,
  tool text not null,
  previous text not null,
  hash text not null,
  constraint audit_pkey PRIMARY KEY (seq),
  constraint audit_hash_key UNIQUE (hash),
  constraint audit_phase_check CHECK ((phase = ANY (ARRAY['intent'::text, 'done'::text, 'failed'::text])))
);
CREATE INDEX audit_tenant ON tenantctl_catalog.audit USING btree (tenant, seq);
CREATE TRIGGER audit_append_only BEFORE DELETE OR UPDATE ON tenantctl_catalog.audit FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.refuse_audit_change();
CREATE TRIGGER audit_chain BEFORE INSERT ON tenantctl_catalog.audit FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.chain_audit();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON tenantctl_catalog.audit FOR EACH STATEMENT EXECUTE FUNCTION tenantctl_catalog.refuse_audit_change();
comment on table tenantctl_catalog.audit is 'Append-only, hash-chained; a change across two databases is audited as intent before it and as done after it';

create table tenantctl_catalog.audit_checkpoints (
  seq bigint not null,
  hash text not null,
  signature text not null,
  key_id text not null,
  written_to text,
  made_at timestamp with time zone default now() not null,
  constraint audit_checkpoints_pkey PRIMARY KEY (seq),
  constraint audit_checkpoints_seq_fkey FOREIGN KEY (seq) REFERENCES tenantctl_catalog.audit(seq)
);

create table tenantctl_catalog.audit_head (
  only_row boolean default true not null,
  seq bigint not null,
  hash text not null,
  constraint audit_head_pkey PRIMARY KEY (only_row),
  constraint audit_head_only_row_check CHECK (only_row)
);
CREATE TRIGGER audit_head_kept BEFORE DELETE ON tenantctl_catalog.audit_head FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.refuse_audit_change();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON tenantctl_catalog.audit_head FOR EACH STATEMENT EXECUTE FUNCTION tenantctl_catalog.refuse_audit_change();
comment on table tenantctl_catalog.audit_head is 'The end of the chain. One row, taken FOR UPDATE: a sequence would let two writers fork the chain';

create table tenantctl_catalog.certificates (
  id text not null,
  tenant text not null,
  offboarding text not null,
  body jsonb not null,
  signature text not null,
  key_id text not null,
  issued_at timestamp with time zone default now() not null,
  constraint certificates_pkey PRIMARY KEY (id),
  constraint certificates_offboarding_fkey FOREIGN KEY (offboarding) REFERENCES tenantctl_catalog.offboardings(id),
  constraint certificates_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenantctl_catalog.tenants(id)
);
CREATE UNIQUE INDEX certificates_one_each ON tenantctl_catalog.certificates USING btree (offboarding);
CREATE INDEX certificates_tenant ON tenantctl_catalog.certificates USING btree (tenant);
CREATE TRIGGER certificate_kept BEFORE DELETE OR UPDATE ON tenantctl_catalog.certificates FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.refuse_certificate_change();
CREATE TRIGGER certificates_no_truncate BEFORE TRUNCATE ON tenantctl_catalog.certificates FOR EACH STATEMENT EXECUTE FUNCTION tenantctl_catalog.refuse_certificate_change();

create table tenantctl_catalog.clusters (
  name text not null,
  region text,
  labels jsonb default '{}'::jsonb not null,
  first_used_at timestamp with time zone default now() not null,
  constraint clusters_pkey PRIMARY KEY (name)
);
comment on table tenantctl_catalog.clusters is 'Clusters by name; their URLs come from configuration or environment and are never stored';

create table tenantctl_catalog.holds (
  id text not null,
  tenant text not null,
  reason text not null,
  author text not null,
  placed_at timestamp with time zone default now() not null,
  released_by text,
  released_at timestamp with time zone,
  release_reason text,
  constraint holds_pkey PRIMARY KEY (id),
  constraint hold_audited TRIGGER DEFERRABLE INITIALLY DEFERRED,
  constraint hold_release_audited TRIGGER DEFERRABLE INITIALLY DEFERRED,
  constraint holds_check CHECK (((released_at IS NULL) = (released_by IS NULL))),
  constraint holds_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenantctl_catalog.tenants(id)
);
CREATE INDEX holds_standing ON tenantctl_catalog.holds USING btree (tenant) WHERE (released_at IS NULL);
CREATE CONSTRAINT TRIGGER hold_audited AFTER INSERT ON tenantctl_catalog.holds DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.require_audit('hold.place', 'hold');
CREATE TRIGGER hold_change BEFORE UPDATE ON tenantctl_catalog.holds FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.check_hold_change();
CREATE TRIGGER hold_kept BEFORE DELETE ON tenantctl_catalog.holds FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.refuse_hold_removal();
CREATE CONSTRAINT TRIGGER hold_release_audited AFTER UPDATE ON tenantctl_catalog.holds DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.released_at IS NOT NULL)) EXECUTE FUNCTION tenantctl_catalog.require_audit('hold.release', 'hold');
CREATE TRIGGER hold_serialised BEFORE INSERT ON tenantctl_catalog.holds FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.serialise_hold();
CREATE TRIGGER holds_no_truncate BEFORE TRUNCATE ON tenantctl_catalog.holds FOR EACH STATEMENT EXECUTE FUNCTION tenantctl_catalog.refuse_hold_removal();
comment on table tenantctl_catalog.holds is 'Legal holds: while one stands, nothing of that tenant is deleted';

create table tenantctl_catalog.hook_deliveries (
  tenant text not null,
  hook text not null,
  ordinal integer not null,
  command text not null,
  attempts integer default 0 not null,
  delivered_at timestamp with time zone,
  failure text,
  constraint hook_deliveries_pkey PRIMARY KEY (tenant, hook, ordinal),
  constraint hook_deliveries_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenantctl_catalog.tenants(id)
);
comment on table tenantctl_catalog.hook_deliveries is 'Which hooks have run for a tenant, so that a failed one runs again and a delivered one does not';

create table tenantctl_catalog.installation (
  only_row boolean default true not null,
  fleet uuid default gen_random_uuid() not null,
  installed_at timestamp with time zone default now() not null,
  constraint installation_pkey PRIMARY KEY (only_row),
  constraint installation_only_row_check CHECK (only_row)
);
comment on table tenantctl_catalog.installation is 'One row: names this fleet, so that two fleets on one cluster tell their templates apart';

create table tenantctl_catalog.move_steps (
  from_state text not null,
  to_state text not null,
  constraint move_steps_pkey PRIMARY KEY (from_state, to_state)
);
comment on table tenantctl_catalog.move_steps is 'Once moved, a move only goes forward: no step leads from moved to aborted';

create table tenantctl_catalog.move_tables (
  move text not null,
  relation text not null,
  state text default 'pending'::text not null,
  rows bigint,
  hash text,
  copied_to jsonb,
  constraint move_tables_pkey PRIMARY KEY (move, relation),
  constraint move_tables_move_fkey FOREIGN KEY (move) REFERENCES tenantctl_catalog.moves(id),
  constraint move_tables_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'copying'::text, 'copied'::text, 'verified'::text])))
);

create table tenantctl_catalog.moves (
  id text not null,
  tenant text not null,
  from_epoch bigint not null,
  from_home jsonb not null,
  to_home jsonb not null,
  method text not null,
  state text default 'planned'::text not null,
  actor text not null,
  reason text,
  ticket text,
  lease_owner text,
  lease_until timestamp with time zone,
  rows_copied bigint default 0 not null,
  verified boolean default false not null,
  write_pause_ms numeric,
  fence_wait_ms numeric,
  copy_ms numeric,
  grace_until timestamp with time zone,
  started_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  fault jsonb,
  to_epoch bigint,
  version_id integer,
  max_pause_ms integer default 250 not null,
  max_lag_ms integer default 1000 not null,
  grace_ms bigint default 0 not null,
  note text,
  undo_state text,
  undo_at timestamp with time zone,
  cut_overs integer default 0 not null,
  hashes jsonb,
  constraint moves_pkey PRIMARY KEY (id),
  constraint moves_check CHECK (((finished_at IS NULL) = (state <> ALL (ARRAY['completed'::text, 'aborted'::text, 'undone'::text])))),
  constraint moves_method_check CHECK ((method = ANY (ARRAY['atomic'::text, 'online'::text, 'offline'::text]))),
  constraint moves_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'prepared'::text, 'copying'::text, 'syncing'::text, 'verified'::text, 'moved'::text, 'flipped'::text, 'grace'::text, 'completed'::text, 'aborted'::text, 'undone'::text]))),
  constraint moves_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenantctl_catalog.tenants(id),
  constraint moves_tenant_from_epoch_fkey FOREIGN KEY (tenant, from_epoch) REFERENCES tenantctl_catalog.placements(tenant, epoch),
  constraint moves_undo_state_check CHECK ((undo_state = ANY (ARRAY['syncing'::text, 'moved'::text, 'flipped'::text])))
);
CREATE INDEX moves_due ON tenantctl_catalog.moves USING btree (grace_until) WHERE (state = 'grace'::text);
CREATE UNIQUE INDEX moves_one_per_tenant ON tenantctl_catalog.moves USING btree (tenant) WHERE (finished_at IS NULL);
CREATE TRIGGER move_step BEFORE UPDATE ON tenantctl_catalog.moves FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.check_move_step();
CREATE TRIGGER move_undo_step BEFORE UPDATE ON tenantctl_catalog.moves FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.check_undo_step();

create table tenantctl_catalog.offboarding_steps (
  from_state text not null,
  to_state text not null,
  constraint offboarding_steps_pkey PRIMARY KEY (from_state, to_state)
);

create table tenantctl_catalog.offboardings (
  id text not null,
  tenant text not null,
  requested_by text not null,
  reason text,
  basis text,
  ticket text,
  status_before text not null,
  export jsonb,
  due_at timestamp with time zone not null,
  state text default 'requested'::text not null,
  progress jsonb default '{}'::jsonb not null,
  requested_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  retain_ms bigint default 0 not null,
  wants_export boolean default false not null,
  begun_at timestamp with time zone,
  constraint offboardings_pkey PRIMARY KEY (id),
  constraint offboardings_begun CHECK (((begun_at IS NULL) = (state = ANY (ARRAY['requested'::text, 'scheduled'::text, 'cancelled'::text])))),
  constraint offboardings_check CHECK (((finished_at IS NULL) = (state <> ALL (ARRAY['certified'::text, 'cancelled'::text])))),
  constraint offboardings_retain_ms_check CHECK ((retain_ms >= 0)),
  constraint offboardings_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'scheduled'::text, 'purging'::text, 'purged'::text, 'certified'::text, 'cancelled'::text]))),
  constraint offboardings_status_before_check CHECK ((status_before = ANY (ARRAY['active'::text, 'suspended'::text]))),
  constraint offboardings_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenantctl_catalog.tenants(id),
  constraint purge_audited TRIGGER DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX offboardings_due ON tenantctl_catalog.offboardings USING btree (due_at) WHERE (finished_at IS NULL);
CREATE UNIQUE INDEX offboardings_one_per_tenant ON tenantctl_catalog.offboardings USING btree (tenant) WHERE (finished_at IS NULL);
CREATE TRIGGER offboarding_hold BEFORE INSERT OR UPDATE ON tenantctl_catalog.offboardings FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.refuse_purge_on_hold();
CREATE TRIGGER offboarding_step BEFORE DELETE OR UPDATE ON tenantctl_catalog.offboardings FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.check_offboarding_step();
CREATE TRIGGER offboardings_no_truncate BEFORE TRUNCATE ON tenantctl_catalog.offboardings FOR EACH STATEMENT EXECUTE FUNCTION tenantctl_catalog.refuse_certificate_change();
CREATE CONSTRAINT TRIGGER purge_audited AFTER UPDATE ON tenantctl_catalog.offboardings DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.state = 'purging'::text)) EXECUTE FUNCTION tenantctl_catalog.require_audit('tenant.purge', 'offboarding');

create table tenantctl_catalog.placements (
  tenant text not null,
  epoch bigint not null,
  tier text not null,
  cluster text not null,
  database text not null,
  schema text not null,
  pool text,
  role text not null,
  unit text not null,
  since timestamp with time zone default now() not null,
  until timestamp with time zone,
  constraint placements_pkey PRIMARY KEY (tenant, epoch),
  constraint placements_check CHECK (((tier = 'pool'::text) = (pool IS NOT NULL))),
  constraint placements_cluster_fkey FOREIGN KEY (cluster) REFERENCES tenantctl_catalog.clusters(name),
  constraint placements_epoch_check CHECK ((epoch > 0)),
  constraint placements_pool_fkey FOREIGN KEY (pool) REFERENCES tenantctl_catalog.pools(name),
  constraint placements_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenantctl_catalog.tenants(id),
  constraint placements_tier_check CHECK ((tier = ANY (ARRAY['pool'::text, 'schema'::text, 'database'::text])))
);
CREATE UNIQUE INDEX placements_current ON tenantctl_catalog.placements USING btree (tenant) WHERE (until IS NULL);
CREATE UNIQUE INDEX placements_database ON tenantctl_catalog.placements USING btree (cluster, database) WHERE ((until IS NULL) AND (tier = 'database'::text));
CREATE INDEX placements_home ON tenantctl_catalog.placements USING btree (tier, cluster, pool, tenant) WHERE (until IS NULL);
CREATE UNIQUE INDEX placements_schema ON tenantctl_catalog.placements USING btree (cluster, database, schema) WHERE ((until IS NULL) AND (tier = 'schema'::text));
CREATE INDEX placements_unit ON tenantctl_catalog.placements USING btree (unit) WHERE (until IS NULL);
CREATE TRIGGER placement_epoch BEFORE INSERT ON tenantctl_catalog.placements FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.check_epoch();
CREATE TRIGGER placement_history BEFORE DELETE OR UPDATE ON tenantctl_catalog.placements FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.check_placement();
CREATE TRIGGER placements_no_truncate BEFORE TRUNCATE ON tenantctl_catalog.placements FOR EACH STATEMENT EXECUTE FUNCTION tenantctl_catalog.refuse_truncate();
comment on table tenantctl_catalog.placements is 'Where a tenant lives (until is null) and has lived; the epoch grows at each move';

create table tenantctl_catalog.plans (
  name text not null,
  tier text not null,
  limits jsonb default '{}'::jsonb not null,
  changed_at timestamp with time zone default now() not null,
  constraint plans_pkey PRIMARY KEY (name),
  constraint plans_tier_check CHECK ((tier = ANY (ARRAY['pool'::text, 'schema'::text, 'database'::text])))
);

create table tenantctl_catalog.pools (
  name text not null,
  cluster text not null,
  database text not null,
  schema text not null,
  created_at timestamp with time zone default now() not null,
  constraint pools_pkey PRIMARY KEY (name),
  constraint pools_cluster_database_schema_key UNIQUE (cluster, database, schema),
  constraint pools_cluster_fkey FOREIGN KEY (cluster) REFERENCES tenantctl_catalog.clusters(name)
);

create table tenantctl_catalog.run_decisions (
  run text not null,
  seq bigint generated always as identity not null,
  at timestamp with time zone default now() not null,
  decision text not null,
  reason text not null,
  facts jsonb default '{}'::jsonb not null,
  constraint run_decisions_pkey PRIMARY KEY (run, seq),
  constraint run_decisions_run_fkey FOREIGN KEY (run) REFERENCES tenantctl_catalog.runs(id)
);
comment on table tenantctl_catalog.run_decisions is 'Every halt, throttle, approval and resume with its reason';

create table tenantctl_catalog.run_migrations (
  run text not null,
  id integer not null,
  name text not null,
  checksum text not null,
  phase text,
  constraint run_migrations_pkey PRIMARY KEY (run, id),
  constraint run_migrations_phase_check CHECK ((phase = ANY (ARRAY['expand'::text, 'contract'::text]))),
  constraint run_migrations_run_fkey FOREIGN KEY (run) REFERENCES tenantctl_catalog.runs(id)
);
comment on table tenantctl_catalog.run_migrations is 'The files of a run, frozen: a file that changes while the run lasts is refused';

create table tenantctl_catalog.run_unit_migrations (
  run text not null,
  unit text not null,
  id integer not null,
  status text not null,
  duration_ms integer,
  fault jsonb,
  at timestamp with time zone default now() not null,
  constraint run_unit_migrations_pkey PRIMARY KEY (run, unit, id),
  constraint run_unit_migrations_run_unit_fkey FOREIGN KEY (run, unit) REFERENCES tenantctl_catalog.run_units(run, unit),
  constraint run_unit_migrations_status_check CHECK ((status = ANY (ARRAY['applied'::text, 'failed'::text, 'rolled-back'::text])))
);

create table tenantctl_catalog.run_units (
  run text not null,
  unit text not null,
  wave integer not null,
  ordinal integer not null,
  lane text not null,
  status text default 'pending'::text not null,
  reason text,
  tenants integer default 0 not null,
  from_version integer,
  to_version integer,
  attempts integer default 0 not null,
  fault jsonb,
  duration_ms integer,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  pages bigint default 0 not null,
  forgiven boolean default false not null,
  constraint run_units_pkey PRIMARY KEY (run, unit),
  constraint run_units_run_fkey FOREIGN KEY (run) REFERENCES tenantctl_catalog.runs(id),
  constraint run_units_run_wave_fkey FOREIGN KEY (run, wave) REFERENCES tenantctl_catalog.run_waves(run, ordinal),
  constraint run_units_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'skipped'::text, 'rolled-back'::text])))
);
CREATE INDEX run_units_finished ON tenantctl_catalog.run_units USING btree (run, finished_at);
CREATE INDEX run_units_open ON tenantctl_catalog.run_units USING btree (run, wave, ordinal) WHERE (status = ANY (ARRAY['pending'::text, 'running'::text]));

create table tenantctl_catalog.run_waves (
  run text not null,
  ordinal integer not null,
  name text not null,
  status text default 'pending'::text not null,
  needs_approval boolean default false not null,
  approved_by text,
  approved_at timestamp with time zone,
  bake_until timestamp with time zone,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  constraint run_waves_pkey PRIMARY KEY (run, ordinal),
  constraint run_waves_run_fkey FOREIGN KEY (run) REFERENCES tenantctl_catalog.runs(id),
  constraint run_waves_run_name_key UNIQUE (run, name),
  constraint run_waves_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'awaiting-approval'::text, 'awaiting-window'::text, 'running'::text, 'baking'::text, 'succeeded'::text, 'failed'::text, 'rolled-back'::text])))
);

create table tenantctl_catalog.runs (
  id text not null,
  kind text not null,
  status text default 'running'::text not null,
  status_reason text,
  target_id integer,
  target_name text,
  of_run text,
  selection jsonb default '[]'::jsonb not null,
  policy jsonb default '{}'::jsonb not null,
  files_hash text not null,
  actor text not null,
  reason text,
  ticket text,
  tool text not null,
  lease_owner text,
  lease_until timestamp with time zone,
  started_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  plan_digest text,
  unchanged integer default 0 not null,
  constraint runs_pkey PRIMARY KEY (id),
  constraint runs_check CHECK (((finished_at IS NULL) = (status = ANY (ARRAY['running'::text, 'paused'::text, 'waiting'::text])))),
  constraint runs_kind_check CHECK ((kind = ANY (ARRAY['migrate'::text, 'rollback'::text]))),
  constraint runs_of_run_fkey FOREIGN KEY (of_run) REFERENCES tenantctl_catalog.runs(id),
  constraint runs_plan_digest_key UNIQUE (plan_digest),
  constraint runs_status_check CHECK ((status = ANY (ARRAY['running'::text, 'paused'::text, 'waiting'::text, 'succeeded'::text, 'failed'::text, 'partial'::text, 'aborted'::text])))
);
CREATE INDEX runs_recent ON tenantctl_catalog.runs USING btree (started_at DESC);
CREATE INDEX runs_unfinished ON tenantctl_catalog.runs USING btree (started_at) WHERE (finished_at IS NULL);

create table tenantctl_catalog.shapes (
  tier text not null,
  major integer not null,
  digest text not null,
  version_id integer not null,
  fingerprint text not null,
  lines jsonb not null,
  source text not null,
  unit text,
  run text,
  proved_at timestamp with time zone default now() not null,
  constraint shapes_pkey PRIMARY KEY (tier, major, digest),
  constraint shapes_check CHECK (((source = 'units'::text) = (unit IS NOT NULL))),
  constraint shapes_run_fkey FOREIGN KEY (run) REFERENCES tenantctl_catalog.runs(id),
  constraint shapes_source_check CHECK ((source = ANY (ARRAY['files'::text, 'units'::text])))
);
comment on table tenantctl_catalog.shapes is 'What a unit looks like at a version: the reference that units are compared with after their migration';

create table tenantctl_catalog.tenant_steps (
  from_status text not null,
  to_status text not null,
  constraint tenant_steps_pkey PRIMARY KEY (from_status, to_status)
);

create table tenantctl_catalog.tenants (
  id text not null,
  key text not null,
  status text default 'provisioning'::text not null,
  plan text,
  owner text,
  labels jsonb default '{}'::jsonb not null,
  pinned_to integer,
  created_at timestamp with time zone default now() not null,
  activated_at timestamp with time zone,
  suspended_at timestamp with time zone,
  deleted_at timestamp with time zone,
  restored_from text,
  rebuilt_at timestamp with time zone,
  constraint tenants_pkey PRIMARY KEY (id),
  constraint tenants_check CHECK (((status <> 'deleted'::text) OR (deleted_at IS NOT NULL))),
  constraint tenants_id_check CHECK ((id ~ '^[a-z0-9][a-z0-9_-]{0,47}$'::text)),
  constraint tenants_key_key UNIQUE (key),
  constraint tenants_labels_check CHECK ((jsonb_typeof(labels) = 'object'::text)),
  constraint tenants_plan_fkey FOREIGN KEY (plan) REFERENCES tenantctl_catalog.plans(name),
  constraint tenants_status_check CHECK ((status = ANY (ARRAY['provisioning'::text, 'active'::text, 'suspended'::text, 'moving'::text, 'offboarding'::text, 'deleted'::text])))
);
CREATE INDEX tenants_labels ON tenantctl_catalog.tenants USING gin (labels jsonb_path_ops);
CREATE INDEX tenants_not_active ON tenantctl_catalog.tenants USING btree (status) WHERE (status <> 'active'::text);
CREATE TRIGGER tenant_step BEFORE INSERT OR DELETE OR UPDATE ON tenantctl_catalog.tenants FOR EACH ROW EXECUTE FUNCTION tenantctl_catalog.check_tenant_step();
CREATE TRIGGER tenants_no_truncate BEFORE TRUNCATE ON tenantctl_catalog.tenants FOR EACH STATEMENT EXECUTE FUNCTION tenantctl_catalog.refuse_truncate();
comment on table tenantctl_catalog.tenants is 'Every tenant there is or was; a deleted one stays as a tombstone, because ids are never reused';

create table tenantctl_catalog.units (
  id text not null,
  tier text not null,
  cluster text not null,
  database text not null,
  schema text not null,
  ledger_key text not null,
  version_id integer,
  version_name text,
  shape text,
  seen_at timestamp with time zone default now() not null,
  adopted jsonb,
  constraint units_pkey PRIMARY KEY (id),
  constraint units_adopted_check CHECK (((adopted IS NULL) OR (jsonb_typeof(adopted) = 'object'::text))),
  constraint units_check CHECK (((version_id IS NULL) = (version_name IS NULL))),
  constraint units_cluster_fkey FOREIGN KEY (cluster) REFERENCES tenantctl_catalog.clusters(name),
  constraint units_tier_check CHECK ((tier = ANY (ARRAY['pool'::text, 'schema'::text, 'database'::text])))
);
CREATE INDEX units_place ON tenantctl_catalog.units USING btree (cluster, database);
CREATE INDEX units_version ON tenantctl_catalog.units USING btree (tier, version_id);
comment on table tenantctl_catalog.units is 'What migrates together, with its version as last seen; the ledger beside the data is the truth';
comment on column tenantctl_catalog.units.adopted is 'Null where this tool made the unit; the local state beside the data is the truth';

CREATE OR REPLACE FUNCTION tenantctl_catalog.audit_hash(p_entry tenantctl_catalog.audit)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(p_entry.previous || pg_catalog.jsonb_build_object(
    'seq', p_entry.seq,
    'at', pg_catalog.to_char(p_entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'action', p_entry.action, 'phase', p_entry.phase, 'tenant', p_entry.tenant, 'unit', p_entry.unit,
    'run', p_entry.run, 'actor', p_entry.actor, 'database_user', p_entry.database_user, 'reason', p_entry.reason,
    'ticket', p_entry.ticket, 'details', p_entry.details, 'tool', p_entry.tool)::text, 'UTF8')), 'hex')
$function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.chain_audit()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  v_head tenantctl_catalog.audit_head;
begin
  select * into v_head from tenantctl_catalog.audit_head for update;
  new.seq := v_head.seq + 1;
  new.at := pg_catalog.clock_timestamp();
  new.database_user := session_user;
  new.previous := v_head.hash;
  new.hash := tenantctl_catalog.audit_hash(new);
  update tenantctl_catalog.audit_head set seq = new.seq, hash = new.hash;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.check_epoch()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  v_last bigint;
begin
  select pg_catalog.max(epoch) into v_last from tenantctl_catalog.placements where tenant = new.tenant;
  if v_last is null and exists (select from tenantctl_catalog.tenants where id = new.tenant and rebuilt_at is not null) then
    return new;
  end if;
  if new.epoch <> 1 + coalesce(v_last, 0) then
    raise exception using errcode = 'TC021',
      message = pg_catalog.format('the next epoch of tenant %s is not %s', new.tenant, new.epoch);
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.check_hold_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if (new.id, new.tenant, new.reason, new.author, new.placed_at)
     is distinct from (old.id, old.tenant, old.reason, old.author, old.placed_at) or old.released_at is not null then
    raise exception using errcode = 'TC020', message = 'a legal hold is released once, and otherwise never changed';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.check_move_step()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.state <> old.state and not exists (
    select from tenantctl_catalog.move_steps where from_state = old.state and to_state = new.state) then
    raise exception using errcode = 'TC021',
      message = pg_catalog.format('move %s is %s; it cannot become %s', old.id, old.state, new.state);
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.check_offboarding_step()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.check_placement()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' or old.until is not null
     or (new.tenant, new.epoch, new.tier, new.cluster, new.database, new.schema, new.pool, new.role, new.unit, new.since)
        is distinct from
        (old.tenant, old.epoch, old.tier, old.cluster, old.database, old.schema, old.pool, old.role, old.unit, old.since) then
    raise exception using errcode = 'TC020',
      message = pg_catalog.format('placement %s of tenant %s is history: end it and add the next epoch', old.epoch, old.tenant);
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.check_tenant_step()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.check_undo_step()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.refuse_audit_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception using errcode = 'TC020', message = 'the audit log is append-only';
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.refuse_certificate_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception using errcode = 'TC020', message = 'a certificate is written once and kept';
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.refuse_hold_removal()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception using errcode = 'TC020', message = 'a legal hold is released, never removed';
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.refuse_purge_on_hold()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.state in ('purging', 'purged') and (tg_op = 'INSERT' or new.state <> old.state) then
    perform from tenantctl_catalog.tenants where id = new.tenant for update;
    if exists (select from tenantctl_catalog.holds where tenant = new.tenant and released_at is null) then
      raise exception using errcode = 'TC022',
        message = pg_catalog.format('tenant %s is on hold: nothing of it is deleted', new.tenant);
    end if;
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.refuse_truncate()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception using errcode = 'TC020', message = pg_catalog.format('%s is never emptied: an id is never reused', tg_table_name);
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.require_audit()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  -- Arguments: the action that must stand in the audit log, and the member of its details that names the row.
  if not exists (
    select from tenantctl_catalog.audit
     where tenant = new.tenant and action = tg_argv[0] and details ->> tg_argv[1] = new.id) then
    raise exception using errcode = 'TC024',
      message = pg_catalog.format('nothing of tenant %s is changed here without an entry %s in the audit log', new.tenant, tg_argv[0]);
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION tenantctl_catalog.serialise_hold()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update tenantctl_catalog.tenants set pinned_to = pinned_to where id = new.tenant;
  return new;
end $function$;
