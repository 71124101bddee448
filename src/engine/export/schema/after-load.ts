import { type Sql, sql } from '../../../pg/sql.js';

/** A statement that is run when the rows are there. */
export interface LateStatement {
  /** The table, or the view, that it is for. */
  relation: string;
  /** Another table that it needs. */
  other: string | null;
  statement: string;
}

/** Keys first, because foreign keys look for them. */
export function constraintsOf(schema: Sql): Sql {
  return sql`
    select c.relname::text as relation, p.relname::text as other,
        format('alter table %I add constraint %I %s', c.relname, k.conname, pg_get_constraintdef(k.oid)) as statement
      from pg_constraint k join pg_class c on c.oid = k.conrelid left join pg_class p on p.oid = nullif(k.confrelid, 0)
     where c.relnamespace = ${schema} and c.relkind in ('r', 'p') and k.contype in ('p', 'u', 'x', 'c', 'f') and k.conparentid = 0 and k.coninhcount = 0
     order by array_position(array['p', 'u', 'x', 'c', 'f'], k.contype::text), c.relname, k.conname`;
}

/** Those that a constraint or the index of a partitioned table brings along are left out. */
export function indexesOf(schema: Sql): Sql {
  return sql`
    select c.relname::text as relation, null as other,
        replace(pg_get_indexdef(i.indexrelid, 0, true), format('INDEX %I ON ONLY ', x.relname), format('INDEX %I ON ', x.relname)) as statement
      from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
     where c.relnamespace = ${schema} and c.relkind in ('r', 'p', 'm') and not x.relispartition and i.indisvalid
       and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
     order by c.relname, x.relname`;
}

/** Without those by which this tool follows the writes of a move. */
export function triggersOf(schema: Sql): Sql {
  return sql`
    select c.relname::text as relation, null as other, t.statement
      from pg_class c cross join lateral (
        select g.tgname, 1 as n, pg_get_triggerdef(g.oid, true) as statement from pg_trigger g
         where g.tgrelid = c.oid and not g.tgisinternal and g.tgparentid = 0 and g.tgname not like 'tenantctl\\_%'
        union all
        select g.tgname, 2, format('alter table %I %s trigger %I', c.relname,
            case g.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, g.tgname)
          from pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal and g.tgenabled <> 'O' and g.tgname not like 'tenantctl\\_%') t
     where c.relnamespace = ${schema} and c.relkind in ('r', 'p', 'v') order by c.relname, t.tgname, t.n`;
}

export function rulesOf(schema: Sql): Sql {
  return sql`
    select c.relname::text as relation, null as other, rtrim(pg_get_ruledef(w.oid, true), ';') as statement
      from pg_rewrite w join pg_class c on c.oid = w.ev_class
     where c.relnamespace = ${schema} and w.rulename <> '_RETURN' order by c.relname, w.rulename`;
}

/** `alter sequence … owned by`, so that a sequence goes with its column. */
export function ownershipsOf(schema: Sql): Sql {
  return sql`
    select t.relname::text as relation, s.relname::text as other, format('alter sequence %I owned by %I.%I', s.relname, t.relname, a.attname) as statement
      from pg_class s join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid and d.deptype = 'a' and d.refclassid = 'pg_class'::regclass
      join pg_class t on t.oid = d.refobjid join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
     where s.relnamespace = ${schema} and s.relkind = 'S' order by s.relname`;
}

/** What cannot be printed as a statement, so that a reader knows of it. */
export function unprintableOf(schema: Sql): Sql {
  return sql`
    select concat(case p.prokind when 'a' then 'aggregate ' else 'function ' end, p.proname, '(', pg_get_function_identity_arguments(p.oid), ')') as what
      from pg_proc p join pg_language l on l.oid = p.prolang
     where p.pronamespace = ${schema} and (p.prokind = 'a' or l.lanname in ('c', 'internal'))
       and not exists (select from pg_depend e where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')
    union all select 'foreign table ' || relname from pg_class where relnamespace = ${schema} and relkind = 'f'
    order by 1`;
}

/** The extensions without which the objects of a schema cannot be made. */
export function extensionsOf(schema: Sql): Sql {
  return sql`
    with own as (
      select 'pg_class'::regclass as class, oid from pg_class where relnamespace = ${schema}
      union all select 'pg_type'::regclass, oid from pg_type where typnamespace = ${schema}
      union all select 'pg_proc'::regclass, oid from pg_proc where pronamespace = ${schema}
      union all select 'pg_constraint'::regclass, oid from pg_constraint where connamespace = ${schema}
      union all select 'pg_attrdef'::regclass, d.oid from pg_attrdef d join pg_class c on c.oid = d.adrelid where c.relnamespace = ${schema}
      union all select 'pg_rewrite'::regclass, w.oid from pg_rewrite w join pg_class c on c.oid = w.ev_class where c.relnamespace = ${schema})
    select distinct e.extname::text as name
      from own join pg_depend d on d.classid = own.class and d.objid = own.oid
      join pg_depend m on m.classid = d.refclassid and m.objid = d.refobjid and m.deptype = 'e' and m.refclassid = 'pg_extension'::regclass
      join pg_extension e on e.oid = m.refobjid where e.extname <> 'plpgsql' order by 1`;
}
