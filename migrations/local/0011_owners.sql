-- In a unit that another tool had made, tables belong to a role of the application's: what only an owner may do is done as it.

create or replace function tenantctl.default_tenant_column(p_schema text, p_tables text[], p_column text, p_setting text)
returns void language plpgsql as $$
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
end $$;
