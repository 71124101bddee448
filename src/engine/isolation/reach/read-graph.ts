import type { Connection } from '../../../pg/connection.js';
import { sql } from '../../../pg/sql.js';

/** A function that is neither the server's own nor of an extension that is known to stay within the database. */
export interface Routine {
  oid: string;
  schema: string;
  name: string;
  language: string;
  trusted: boolean;
  source: string;
  /** The extension that it belongs to. */
  extension: string | null;
  /** The signs of operators that call it. */
  operators: string[];
}

/** A table, view or foreign table of the user's. */
export interface Node {
  oid: string;
  schema: string;
  name: string;
  kind: string;
  /** What it is made of, and the conditions of the user's policies. */
  text: string;
}

/** Something that calls, reads or wakes another thing. */
export interface Edge {
  from: string;
  to: string;
  /** Is it called by whoever only reads `from`: by a policy, or by a view's own query? */
  reading: boolean;
}

export interface Graph {
  routines: Routine[];
  nodes: Node[];
  edges: Edge[];
}

/** Written in C, and known to stay within the database; what PostgreSQL itself trusts is not listed. */
const HARMLESS = [
  'postgis',
  'postgis_topology',
  'vector',
  'pg_stat_statements',
  'timescaledb',
  'citus',
  'pageinspect',
  'earthdistance',
  'rum',
  'hll',
  'ip4r',
  'pg_uuidv7',
  'semver',
];

const USERS = sql`n.nspname not in ('pg_catalog', 'information_schema', 'tenantctl', 'tenantctl_catalog') and n.nspname !~ '^pg_(temp|toast)'`;

const ROUTINES = sql`
  select f.oid::text as oid, n.nspname::text as schema, f.proname::text as name, l.lanname::text as language, l.lanpltrusted as trusted,
    coalesce(pg_get_function_sqlbody(f.oid), f.prosrc) as source, e.extname::text as extension,
    array(select o.oprname::text from pg_operator o where o.oprcode = f.oid) as operators
  from pg_proc f join pg_namespace n on n.oid = f.pronamespace join pg_language l on l.oid = f.prolang
  left join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = f.oid and d.deptype = 'e' and d.refclassid = 'pg_extension'::regclass
  left join pg_extension e on e.oid = d.refobjid
 where ${USERS}
   and (e.oid is null or not (e.extname = any (${HARMLESS}::text[]) or exists (select from pg_available_extension_versions v
          where v.name = e.extname and v.version = e.extversion and v.trusted)))`;

/** Policies `p` of the user's that speak to others than the administrator. */
const ASKED = sql`(p.polname not like 'tenantctl\\_%' and exists (select from unnest(p.polroles) u (oid)
  where u.oid is distinct from (select r.oid from pg_roles r where r.rolname = session_user)))`;

/** What the catalogs say that relations call, and what lies behind views, parents and foreign keys that act. */
const EDGES = sql`
  with called (classid, objid, function) as (
    select d.classid, d.objid, d.refobjid from pg_depend d where d.refclassid = 'pg_proc'::regclass and d.refobjid >= 16384
    union all select d.classid, d.objid, o.oprcode from pg_depend d join pg_operator o on d.refclassid = 'pg_operator'::regclass and o.oid = d.refobjid
     where d.refobjid >= 16384
  ), of_relation (relation, classid, objid) as (
    select tgrelid, 'pg_trigger'::regclass, oid from pg_trigger where tgenabled <> 'D'
    union all select adrelid, 'pg_attrdef'::regclass, oid from pg_attrdef
    union all select conrelid, 'pg_constraint'::regclass, oid from pg_constraint where conrelid <> 0
    union all select a.attrelid, 'pg_constraint'::regclass, k.oid from pg_constraint k join pg_attribute a on a.atttypid = k.contypid where k.contypid <> 0
    union all select p.polrelid, 'pg_policy'::regclass, p.oid from pg_policy p where ${ASKED}
    union all select ev_class, 'pg_rewrite'::regclass, oid from pg_rewrite
    union all select indrelid, 'pg_class'::regclass, indexrelid from pg_index
  )
  select 'r' || r.relation as "from", 'f' || c.function as "to", c.classid in ('pg_policy'::regclass, 'pg_rewrite'::regclass) as reading
    from called c join of_relation r on r.classid = c.classid and r.objid = c.objid
  union select 'f' || c.objid, 'f' || c.function, true from called c where c.classid = 'pg_proc'::regclass
  union select 'r' || r.ev_class, 'r' || d.refobjid, true from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
     where d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class and r.oid >= 16384
  union select 'r' || inhparent, 'r' || inhrelid, false from pg_inherits
  union select 'r' || confrelid, 'r' || conrelid, false from pg_constraint
     where contype = 'f' and confrelid <> conrelid and (confdeltype in ('c', 'n', 'd') or confupdtype in ('c', 'n', 'd'))`;

/** Reads who calls whom in this database. */
export async function readGraph(session: Connection): Promise<Graph> {
  const routines = await session.rows<Routine>(ROUTINES);
  const nodes = await session.rows<Node>(sql`
    select c.oid::text as oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
      case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid)
        else (select coalesce(string_agg(concat(pg_get_expr(p.polqual, c.oid), ' ', pg_get_expr(p.polwithcheck, c.oid)), ' '), '') from pg_policy p
          where p.polrelid = c.oid and ${ASKED}) end as text
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${USERS} and c.relkind in ('r', 'p', 'v', 'm', 'f')`);
  return { routines, nodes, edges: await session.rows<Edge>(EDGES) };
}
