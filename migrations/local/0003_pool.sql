-- Row-level security of pools, added in the same transaction as each migration. A tenant sees exactly its
-- rows, a tenant that is suspended or has moved is refused, and the fleet's administrator sees every row
-- only where it says so.

-- The condition that holds a session to its tenant. The look at the placement does not depend on the row, so the
-- server makes it once a statement; an unknown tenant finds nothing there and so sees no row. It stands as a second
-- equality on the column, because the planner then compares the two values before it reads any row: as a condition
-- of its own it would be asked for candidate rows only, and a tenant without any would not be refused.
create function tenantctl.tenant_condition(p_column text, p_type text, p_setting text)
returns text language sql immutable as $$
  select pg_catalog.format(
    '%1$I = %2$s and %1$I = (select case when home.state in (''active'', ''moving'') then %2$s '
    'else tenantctl.refuse(home.tenant, home.state, home.epoch, home.home)::text::%3$s end '
    'from tenantctl.placement home where home.key = (%2$s)::text)',
    p_column, pg_catalog.format('nullif(current_setting(%L, true), '''')::%s', p_setting, p_type), p_type)
$$;

-- The condition under which the administrator sees all tenants: its own session, and only while it says so.
-- Without the session_user part an application would see foreign rows through any view of the owner's.
create function tenantctl.fleet_condition() returns text language sql stable as $$
  select pg_catalog.format('session_user = %L and current_setting(''tenantctl.scope'', true) = ''fleet''', session_user)
$$;

-- A cast to regnamespace would read a name as SQL does and fold its capitals.
create function tenantctl.schema_oid(p_schema text) returns oid language sql stable as $$
  select oid from pg_catalog.pg_namespace where nspname = p_schema
$$;

-- Gives the tenant column of the named tables the session's tenant as its default, where it has none. The names
-- come from the migration: to look for tables by schema, the server would read the catalog of all schemas.
create function tenantctl.default_tenant_column(p_schema text, p_tables text[], p_column text, p_setting text)
returns void language plpgsql as $$
declare
  v_table record;
begin
  for v_table in
    select c.relname, pg_catalog.format_type(a.atttypid, a.atttypmod) as type
      from unnest(p_tables) as named (name)
      join pg_catalog.pg_class c on c.relname = named.name and c.relnamespace = tenantctl.schema_oid(p_schema)
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = p_column and not a.attisdropped
     where c.relkind in ('r', 'p') and not a.atthasdef and a.attidentity = ''
  loop
    execute pg_catalog.format('alter table %I.%I alter column %I set default nullif(current_setting(%L, true), '''')::%s',
      p_schema, v_table.relname, p_column, p_setting, v_table.type);
  end loop;
end $$;
comment on function tenantctl.default_tenant_column is 'Gives the tenant column of tables the session''s tenant as its default, where it has none';

-- Brings every relation of a pool's schema up to the rules. Returns what it found lacking, one sentence each;
-- in mode "require" the first one is an error (TC030), in mode "observe" nothing is changed.
create function tenantctl.secure_pool(
  p_schema text, p_column text, p_setting text, p_role text, p_mode text, p_shared text[]
) returns setof text language plpgsql as $$
declare
  v_table record;
  v_condition text;
  v_lack text[];
begin
  if p_mode = 'off' then return; end if;
  for v_table in
    select c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition,
           pg_catalog.pg_get_userbyid(c.relowner) as owner,
           a.attnum is not null as tenanted, a.attnotnull, a.atthasdef,
           pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
           exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname = 'tenantctl_fleet') as has_fleet,
           exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname = 'tenantctl_tenant') as has_tenant,
           exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname = 'tenantctl_guard') as has_guard,
           exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname not in ('tenantctl_fleet', 'tenantctl_tenant', 'tenantctl_guard')) as has_users
      from pg_catalog.pg_class c
      left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = p_column and not a.attisdropped
     where c.relnamespace = tenantctl.schema_oid(p_schema) and c.relkind in ('r', 'p')
     order by c.relname
  loop
    if not v_table.tenanted then
      if p_mode <> 'observe' and not v_table.relispartition then
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
      case when not (v_table.has_tenant or v_table.has_users) then 'it has no policy' end,
      case when not v_table.attnotnull then pg_catalog.format('column %I may be NULL', p_column) end], null);
    if v_lack <> '{}' then
      if p_mode = 'require' then
        raise exception using errcode = 'TC030',
          message = pg_catalog.format('table %I.%I: %s', p_schema, v_table.relname, pg_catalog.array_to_string(v_lack, ', ')),
          schema = p_schema, table = v_table.relname,
          hint = 'tenancy.rls is "require": let the migration itself do it, or set "enforce".';
      end if;
      return next pg_catalog.format('%I.%I: %s', p_schema, v_table.relname, pg_catalog.array_to_string(v_lack, ', '));
    end if;
    continue when p_mode = 'observe';

    v_condition := tenantctl.tenant_condition(p_column, v_table.type, p_setting);
    if not v_table.atthasdef and not v_table.relispartition then
      execute pg_catalog.format('alter table %I.%I alter column %I set default nullif(current_setting(%L, true), '''')::%s',
        p_schema, v_table.relname, p_column, p_setting, v_table.type);
    end if;
    if not v_table.attnotnull then
      execute pg_catalog.format('alter table %I.%I alter column %I set not null', p_schema, v_table.relname, p_column);
    end if;
    if not v_table.relrowsecurity then
      execute pg_catalog.format('alter table %I.%I enable row level security', p_schema, v_table.relname);
    end if;
    if not v_table.relforcerowsecurity then
      execute pg_catalog.format('alter table %I.%I force row level security', p_schema, v_table.relname);
    end if;
    if not v_table.has_fleet then
      execute pg_catalog.format('create policy tenantctl_fleet on %I.%I for all to %I using (%s) with check (%4$s)',
        p_schema, v_table.relname, v_table.owner, tenantctl.fleet_condition());
    end if;
    if not v_table.has_tenant and not v_table.has_users then
      execute pg_catalog.format('create policy tenantctl_tenant on %I.%I for all using (%s) with check (%3$s)',
        p_schema, v_table.relname, v_condition);
    elsif v_table.has_users and not v_table.has_guard then
      -- Permissive policies of the user's stay as they are; none of them can widen what the application sees, be
      -- it itself or through a view or function of the owner's.
      execute pg_catalog.format('create policy tenantctl_guard on %I.%I as restrictive for all to %I, %I using (%s) with check (%5$s)',
        p_schema, v_table.relname, p_role, v_table.owner,
        pg_catalog.format('(%s) or (%s)', tenantctl.fleet_condition(), v_condition));
    end if;
    -- A partition is reached through its parent; a grant on it would be a second door.
    if not v_table.relispartition then
      execute pg_catalog.format('grant select, insert, update, delete on %I.%I to %I', p_schema, v_table.relname, p_role);
    end if;
  end loop;

  if p_mode = 'enforce' or p_mode = 'require' then
    perform tenantctl.grant_views_and_sequences(p_schema, p_role);
  end if;
end $$;
comment on function tenantctl.secure_pool is 'Row-level security, defaults and grants for every relation of a pool that lacks them';

-- Views are granted for reading only: a view of the owner's that can be updated would write shared tables with
-- the owner's rights. Materialised views hold every tenant's rows and are not granted at all.
create function tenantctl.grant_views_and_sequences(p_schema text, p_role text)
returns void language plpgsql as $$
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
end $$;

-- Which tables of a pool hold a row of one tenant: none means that it is gone.
create function tenantctl.tables_holding(p_schema text, p_column text, p_key text)
returns setof text language plpgsql as $$
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
end $$;
comment on function tenantctl.tables_holding is 'The tables of a pool that hold a row of this tenant';
