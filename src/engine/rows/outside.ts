import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';

/** Something outside a schema. */
export interface Outside {
  kind: string;
  /** Qualified and quoted. */
  name: string;
}

/**
 * What stands outside a schema and would go with it, were it dropped: views, but also columns of its types, defaults
 * from its sequences, triggers and policies that call its functions, tables that inherit or are parts of its tables.
 */
export async function dependentsOutside(session: Connection, schema: string): Promise<Outside[]> {
  return session.rows<Outside>(sql`
    with recursive doomed (classid, objid, objsubid) as (
      select 'pg_namespace'::regclass::oid, oid, 0 from pg_namespace where nspname = ${schema}
      union
      select d.classid, d.objid, d.objsubid from doomed x join pg_depend d on d.refclassid = x.classid and d.refobjid = x.objid
       where x.objsubid in (0, d.refobjsubid))
    select distinct o.type as kind, o.identity as name
      from doomed x left join pg_class c on x.classid = 'pg_class'::regclass and c.oid = x.objid
      cross join lateral pg_identify_object(x.classid, x.objid, x.objsubid) o
      cross join lateral pg_identify_object_as_address(x.classid, x.objid, x.objsubid) a
     where c.relnamespace is distinct from (select oid from pg_namespace where nspname = ${schema})
       and coalesce(o.schema, case when o.type in ('rule', 'trigger', 'policy', 'default value') then a.object_names[1] end, ${schema})
         not in (${schema}, quote_ident(${schema}), 'pg_toast')
     order by 1, 2`);
}

/** What keeps a role from being dropped when a schema of this database, or the whole database, is gone. */
export async function rightsOutside(
  session: Connection,
  role: string,
  drops: 'schema' | 'database',
  schema: string,
): Promise<Outside[]> {
  return session.rows<Outside>(sql`
    select distinct coalesce(o.type, 'database') as kind, coalesce(o.identity, quote_ident(b.datname)) as name
      from pg_shdepend d join pg_roles r on r.oid = d.refobjid and r.rolname = ${role}
      left join pg_database me on me.datname = current_database()
      left join pg_database b on b.oid = case when d.classid = 'pg_database'::regclass then d.objid else d.dbid end
      left join lateral pg_identify_object(d.classid, d.objid, d.objsubid) o on d.dbid = me.oid
      left join lateral pg_identify_object_as_address(d.classid, d.objid, d.objsubid) a on d.dbid = me.oid
     where d.refclassid = 'pg_authid'::regclass
       and case when b.oid is distinct from me.oid then true
                when ${drops} = 'database' then false
                when d.dbid = 0 then true
                when d.classid = 'pg_largeobject'::regclass then false
                when d.classid = 'pg_default_acl'::regclass then not exists (select from pg_default_acl f join pg_namespace n on n.oid = f.defaclnamespace
                  where f.oid = d.objid and n.nspname = ${schema})
                when d.classid = 'pg_namespace'::regclass then not exists (select from pg_namespace where oid = d.objid and nspname = ${schema})
                else coalesce(o.schema, case when o.type in ('rule', 'trigger', 'policy', 'default value') then a.object_names[1] end, '')
                  not in (${schema}, quote_ident(${schema})) end
     order by 1, 2`);
}
