-- Moving one tenant while it is written to: what its two homes keep until the move is over. Both may be in one
-- database, so a tenant has a placement for each schema that it lives or lived in.

alter table tenantctl.placement
  drop constraint placement_pkey,
  drop constraint placement_key_key,
  add primary key (tenant, schema),
  add unique (key, schema);

drop index tenantctl.placement_moving;
create index placement_moving on tenantctl.placement (unit) where state = 'moving' or status = 'moving';

create table tenantctl.move (
  move       text        not null,
  tenant     text        not null,
  schema     text        not null,
  side       text        not null check (side in ('source', 'target')),
  -- The process that may drive it: one that was taken over finds another name here and decides nothing.
  driver     text        not null,
  started_at timestamptz not null default now(),
  primary key (move, side)
);
comment on table tenantctl.move is 'The moves that this database takes part in, while anything of them is left here';

-- Keys of rows that were written since they were last copied. Rows are only added and taken, never changed: an
-- ON CONFLICT DO NOTHING would overlook a write that came while the earlier entry was being taken.
create table tenantctl.dirty (
  entry    bigint generated always as identity primary key,
  move     text   not null,
  side     text   not null,
  relation text   not null,
  key      text[] not null
);
create index dirty_move on tenantctl.dirty (move, side);
comment on table tenantctl.dirty is 'Which rows of a moving tenant were written since they were last copied';

create table tenantctl.set_aside (
  move       text not null,
  side       text not null,
  relation   text not null,
  kind       text not null check (kind in ('foreign key', 'trigger', 'silenced trigger')),
  name       text not null,
  definition text not null,
  primary key (move, side, relation, kind, name)
);
comment on table tenantctl.set_aside is 'Constraints and triggers that a move has set aside here, and how they are put back';

-- The gate: every write of a moving tenant passes it before it touches a row. The lock is shared among writers and
-- taken alone by the mover for the cut-over; it is fair, so the mover waits for those that are inside, and those that
-- come later wait for it. Above READ COMMITTED the state is read FOR SHARE: on its old snapshot the writer would
-- still see an open home.
create function tenantctl.gate() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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
end $$;
comment on function tenantctl.gate is 'Lets writes of a moving tenant pass while its home is open, and holds them during the cut-over';

create function tenantctl.refuse_truncate() returns trigger language plpgsql as $$
begin
  -- Arguments: move, administrator.
  if session_user = tg_argv[1] and coalesce(pg_catalog.current_setting('tenantctl.moving', true), '') = tg_argv[0] then
    return null;
  end if;
  raise exception using errcode = 'TC013',
    message = pg_catalog.format('table %I.%I holds rows of a tenant that is being moved; it cannot be truncated', tg_table_schema, tg_table_name),
    hint = 'Wait until the move has ended, or use DELETE.';
end $$;

-- Whoever may execute them could put them on a table of his own, and be told of any tenant. Triggers fire without.
revoke all on function tenantctl.gate(), tenantctl.refuse_truncate() from public;

-- As before, and while the other home of a move is being made.
create or replace function tenantctl.claim(
  p_unit text, p_after integer, p_ids integer[], p_names text[], p_checksums text[],
  p_state text, p_tool text, p_run text
) returns void language plpgsql as $$
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
end $$;

create or replace function tenantctl.take_back(p_unit text, p_id integer) returns void language plpgsql as $$
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
end $$;

-- As before, and the placement of this very pool: another home of the same tenant may be in the same database. The
-- schema stands there as an object, so that it can be told from other text when shapes are compared.
drop function tenantctl.tenant_condition;
create function tenantctl.tenant_condition(p_column text, p_type text, p_setting text, p_schema text)
returns text language sql immutable as $$
  select pg_catalog.format(
    '%1$I = %2$s and %1$I = (select case when home.state in (''active'', ''moving'') then %2$s '
    'else tenantctl.refuse(home.tenant, home.state, home.epoch, home.home)::text::%3$s end '
    'from tenantctl.placement home where home.key = (%2$s)::text and pg_catalog.quote_ident(home.schema) = %4$s)',
    p_column, pg_catalog.format('nullif(current_setting(%L, true), '''')::%s', p_setting, p_type), p_type,
    pg_catalog.format('%L::pg_catalog.regnamespace::text', pg_catalog.quote_ident(p_schema)))
$$;

create or replace function tenantctl.secure_pool(
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
           exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname not in ('tenantctl_fleet', 'tenantctl_tenant', 'tenantctl_guard', 'tenantctl_rescan')) as has_users
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

    v_condition := tenantctl.tenant_condition(p_column, v_table.type, p_setting, p_schema);
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

-- Policies that are there already.
do $$
declare
  v_policy record;
begin
  for v_policy in
    select p.polname, c.relname, n.nspname,
           pg_catalog.replace(pg_catalog.pg_get_expr(p.polqual, p.polrelid), 'WHERE (home.key = ',
             pg_catalog.format('WHERE (pg_catalog.quote_ident(home.schema) = %L::pg_catalog.regnamespace::text) AND (home.key = ',
               pg_catalog.quote_ident(n.nspname))) as condition
      from pg_catalog.pg_policy p
      join pg_catalog.pg_class c on c.oid = p.polrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where p.polname in ('tenantctl_tenant', 'tenantctl_guard')
  loop
    execute pg_catalog.format('alter policy %I on %I.%I using (%s) with check (%4$s)',
      v_policy.polname, v_policy.nspname, v_policy.relname, v_policy.condition);
  end loop;
end $$;

-- For applications outside pools, as before: of two homes in one database the one that serves answers.
create or replace function tenantctl.admit(p_key text, p_epoch bigint default null)
returns boolean language plpgsql stable as $$
declare
  v_home tenantctl.placement;
begin
  select * into v_home from tenantctl.placement where key = p_key
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
