-- In a home of the tenant's own the tables that lack the default are found in the catalog: a name that stands in a file is
-- gone once the table is renamed, and what a DO block or a function makes stands in no file.

-- No index of pg_class leads from a schema to its tables; what they depend on does, so that the cost of a home does not grow
-- with the other homes of its database. A search path of its own keeps the plans from one home to the next. Tables that
-- nobody here may act for are not the migrations'.
create function tenantctl.complete_home(p_schema text, p_column text, p_setting text)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
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
end $$;
comment on function tenantctl.complete_home is 'Gives the tenant column of every table of a home the session''s tenant as its default, where it has none';
