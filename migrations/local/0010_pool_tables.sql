-- Pools whose tables are enforced one by one: a pool that was made by other hands is only observed at first. What a table
-- had before is kept, so that the way back gives exactly that.

create table tenantctl.enforced (
  relation    regclass    primary key,
  -- Row-level security, FORCE, the column's default and NOT NULL, and the application's rights, as they were.
  rls         boolean     not null,
  forced      boolean     not null,
  has_default boolean     not null,
  required    boolean     not null,
  rights      text[]      not null,
  enforced_at timestamptz not null default now(),
  enforced_by text        not null default session_user
);
comment on table tenantctl.enforced is 'Pool tables that were there before they were enforced, and how they were';

-- The name by which a table of a pool is listed: a partition follows the table that it is a part of.
create function tenantctl.listed_name(p_table oid) returns name language sql stable as $$
  select relname from pg_catalog.pg_class
   where oid = coalesce(pg_catalog.pg_partition_root(p_table), p_table::pg_catalog.regclass)
$$;

-- Gives one table what it lacks: row-level security, FORCE, policies, default, NOT NULL and the application's rights.
create function tenantctl.enforce_table(p_table oid, p_column text, p_setting text, p_role text)
returns void language plpgsql as $$
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
end $$;
comment on function tenantctl.enforce_table is 'Row-level security, default and grants for one table of a pool that lacks them';

-- The way back: takes our policies off one table. One that was there before it was enforced is as it was then; in the
-- others the column keeps its default, and the application its rights. Where the user's own policies are left,
-- row-level security stays, and with it the policy by which the administrator sees all rows.
create function tenantctl.open_table(p_table oid, p_column text, p_role text)
returns void language plpgsql as $$
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
end $$;
comment on function tenantctl.open_table is 'Takes row-level security of ours off one table of a pool: every tenant reaches the rows of all others';

-- As before, and in a pool that observes, or does nothing, the tables that are named are enforced all the same.
drop function tenantctl.secure_pool(text, text, text, text, text, text[]);
create function tenantctl.secure_pool(
  p_schema text, p_column text, p_setting text, p_role text, p_mode text, p_shared text[], p_enforce text[] default '{}'
) returns setof text language plpgsql as $$
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
end $$;
comment on function tenantctl.secure_pool is 'Row-level security, defaults and grants for every relation of a pool that lacks them';
