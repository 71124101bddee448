import type { Connection } from '../../../pg/connection.js';
import { type Sql, sql } from '../../../pg/sql.js';
import { type KeyShape, keyShape } from '../key-shape.js';
import { type Reach, wayOf } from '../reach/reach.js';
import { endingOf } from '../statements.js';

export interface Column {
  name: string;
  /** As SQL writes it, with its schema where that is needed. */
  type: string;
  /** What a domain or the type itself is made of: `text`, `int4`; never a domain. */
  base: string;
  category: string;
  /** Characters that fit, or digits before and after the point; null for no limit. */
  length: number | null;
  precision: number | null;
  scale: number | null;
  labels: string[];
  domain: string | null;
  /** Conditions of the domain. */
  conditions: string[];
  /** Fields of a composite type, otherwise 0. */
  fields: number;
  notNull: boolean;
  hasDefault: boolean;
  /** `a` for generated always as identity, `d` by default, otherwise empty. */
  identity: string;
  generated: boolean;
}

export interface UniqueKey {
  name: string;
  columns: string[];
  primary: boolean;
  immediate: boolean;
  /** It has a condition or an expression, so that its columns alone do not tell rows apart. */
  special: boolean;
  shape: KeyShape;
}

export interface Reference {
  name: string;
  columns: string[];
  parent: string;
  referenced: string[];
  /** What becomes of the row when its parent goes: `a`, `r`, `c`, `n` or `d`. */
  onDelete: string;
  /** `on delete cascade deferrable`, or nothing. */
  ending: string;
  /** Has the other table a key of the tenant column and these? */
  keyed: boolean;
  parentPartitioned: boolean;
  required: boolean;
}

export interface Check {
  name: string;
  columns: string[];
  definition: string;
}

/** What the application's role may do with a relation, as a whole or with some column of it. */
export interface Privileges {
  select: boolean;
  insert: boolean;
  update: boolean;
  delete: boolean;
  truncate: boolean;
}

/** A table as the probes see it. */
export interface Relation {
  oid: string;
  schema: string;
  name: string;
  /** `schema.name`, quoted: the name of it in `Reference.parent` and in SQL. */
  qualified: string;
  kind: string;
  owner: string;
  /** The table whose partition or child it is. */
  parent: string | null;
  tenanted: boolean;
  rowSecurity: boolean;
  forced: boolean;
  /** `name: condition` of the user's permissive policies that let the application's role in. */
  policies: string[];
  /** The names of those that this tool has made. */
  toolPolicies: string[];
  /** How policies of the user's come to ask who has logged in, which in a probe is the administrator; null when they do not. */
  asksLogin: string | null;
  /** Has the application's role the rights of the owner? */
  ownedByRole: boolean;
  columns: Column[];
  uniques: UniqueKey[];
  references: Reference[];
  checks: Check[];
  /** Bounds of partitions, as SQL writes them: its own, or of those that belong to it. */
  bounds: string[];
  partitionColumns: string[];
  /** May a trigger make another row of one that is written? */
  rewrites: boolean;
  /** The way by which a write may come to reach out of the database, where nothing can be taken back; null when there is none. */
  reachesOut: string | null;
  may: Privileges;
}

/** A domain is followed to what it is made of. */
const BASE_TYPES = sql`
  base (oid, base, typmod) as (
    select t.oid, t.oid, -1 from pg_type t where t.typtype <> 'd'
    union all select t.oid, b.base, case when b.typmod = -1 then t.typtypmod else b.typmod end
      from base b join pg_type t on t.typbasetype = b.oid and t.typtype = 'd'
  )`;

const COLUMNS = sql`
  select coalesce(json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'base', bt.typname, 'category', bt.typcategory,
      'length', case when bt.typname in ('varchar', 'bpchar') and m.typmod > 4 then m.typmod - 4 end,
      'precision', case when bt.typname = 'numeric' and m.typmod > 4 then ((m.typmod - 4) >> 16) & 65535 end,
      'scale', case when bt.typname = 'numeric' and m.typmod > 4 then (m.typmod - 4) & 2047 end,
      'labels', coalesce((select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = bt.oid), '[]'),
      'domain', case when t.typtype = 'd' then t.typname end,
      'conditions', coalesce((select json_agg(pg_get_constraintdef(k.oid)) from pg_constraint k where k.contypid = t.oid and k.contype = 'c'), '[]'),
      'fields', (select count(*) from pg_attribute f where f.attrelid = bt.typrelid and bt.typrelid <> 0 and f.attnum > 0 and not f.attisdropped),
      'notNull', a.attnotnull or t.typnotnull, 'hasDefault', a.atthasdef and a.attgenerated = '' or t.typdefault is not null,
      'identity', a.attidentity, 'generated', a.attgenerated <> '') order by a.attnum), '[]')
    from pg_attribute a join pg_type t on t.oid = a.atttypid join base b on b.oid = t.oid join pg_type bt on bt.oid = b.base
    cross join lateral (select case when a.atttypmod = -1 then b.typmod else a.atttypmod end as typmod) m
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`;

const uniquesOf = (tenantColumn: string): Sql => sql`
  select coalesce(json_agg(json_build_object('name', x.relname, 'shape', ${keyShape(sql`i.indexrelid`, tenantColumn)}, 'primary', i.indisprimary, 'immediate', i.indimmediate,
      'special', i.indpred is not null or i.indexprs is not null,
      'columns', (select coalesce(json_agg(a.attname order by k.n), '[]') from unnest(i.indkey::int2[]) with ordinality as k (attnum, n)
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum where k.n <= i.indnkeyatts)) order by i.indisprimary desc, i.indexrelid), '[]')
    from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid and i.indisunique and i.indisvalid`;

const referencesOf = (tenantColumn: string): Sql => sql`
  select coalesce(json_agg(json_build_object('name', k.conname, 'onDelete', k.confdeltype, 'ending', ${endingOf('k')}, 'parentPartitioned', p.relkind = 'p',
      'keyed', exists (select from pg_index i join pg_attribute t on t.attrelid = p.oid and t.attname = ${tenantColumn}
         where i.indrelid = p.oid and i.indisunique and i.indpred is null and i.indkey::text = array_to_string(t.attnum || array_remove(k.confkey, t.attnum), ' ')),
      'parent', format('%I.%I', pn.nspname, p.relname),
      'columns', (select json_agg(a.attname order by u.n) from unnest(k.conkey) with ordinality as u (attnum, n)
         join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum),
      'referenced', (select json_agg(a.attname order by u.n) from unnest(k.confkey) with ordinality as u (attnum, n)
         join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum),
      'required', (select bool_and(a.attnotnull) from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any (k.conkey)))
      order by k.conname), '[]')
    from pg_constraint k join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
   where k.conrelid = c.oid and k.contype = 'f' and not p.relispartition`;

const CHECKS = sql`
  select coalesce(json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid),
      'columns', (select coalesce(json_agg(a.attname), '[]') from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any (k.conkey))) order by k.conname), '[]')
    from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'`;

/**
 * The tables of a pool's schema, and those elsewhere that their foreign keys point to, with everything that decides which
 * rows fit into them.
 */
export async function readTables(
  session: Connection,
  schema: string,
  tenantColumn: string,
  role: string,
  reach: Reach,
): Promise<Relation[]> {
  const tables = await session.rows<Omit<Relation, 'reachesOut' | 'asksLogin'>>(sql`
    with recursive ${BASE_TYPES}, wanted (oid) as (
      select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = ${schema} and c.relkind in ('r', 'p')
      union select k.confrelid from wanted w join pg_constraint k on k.conrelid = w.oid and k.contype = 'f'
    )
    select c.oid::text as oid, n.nspname::text as schema, c.relname::text as name, format('%I.%I', n.nspname, c.relname) as qualified,
      c.relkind::text as kind, pg_get_userbyid(c.relowner)::text as owner,
      (select format('%I.%I', pn.nspname, p.relname) from pg_inherits i join pg_class p on p.oid = i.inhparent
         join pg_namespace pn on pn.oid = p.relnamespace where i.inhrelid = c.oid order by i.inhseqno limit 1) as parent,
      exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = ${tenantColumn} and not a.attisdropped) as tenanted,
      c.relrowsecurity as "rowSecurity", c.relforcerowsecurity as forced, pg_has_role(${role}::name, c.relowner, 'USAGE') as "ownedByRole",
      (select coalesce(json_agg(format('%s: %s', p.polname, coalesce(pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid))) order by p.polname), '[]')
         from pg_policy p where p.polrelid = c.oid and p.polpermissive and p.polname not like 'tenantctl\\_%'
          and (p.polroles = '{0}' or exists (select from pg_roles r where r.oid = any (p.polroles) and pg_has_role(${role}::name, r.oid, 'USAGE')))) as policies,
      array(select p.polname::text from pg_policy p where p.polrelid = c.oid and p.polname like 'tenantctl\\_%') as "toolPolicies",
      (${COLUMNS}) as columns, (${uniquesOf(tenantColumn)}) as uniques, (${referencesOf(tenantColumn)}) as "references", (${CHECKS}) as checks,
      (select coalesce(json_agg(pg_get_expr(b.relpartbound, b.oid)), '[]') from pg_class b
        where b.relpartbound is not null and (b.oid = c.oid or b.oid in (select relid from pg_partition_tree(c.oid) where isleaf))) as bounds,
      (select coalesce(json_agg(a.attname order by k.n), '[]') from pg_partitioned_table t
         cross join unnest(t.partattrs::int2[]) with ordinality as k (attnum, n) join pg_attribute a on a.attrelid = t.partrelid and a.attnum = k.attnum
        where t.partrelid = coalesce((select i.inhparent from pg_inherits i where i.inhrelid = c.oid and c.relispartition), c.oid)) as "partitionColumns",
      exists (select from pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal and g.tgenabled <> 'D' and g.tgtype & 3 = 3 and g.tgtype & 20 <> 0) as rewrites,
      json_build_object('select', has_any_column_privilege(${role}::name, c.oid, 'SELECT'), 'insert', has_any_column_privilege(${role}::name, c.oid, 'INSERT'),
        'update', has_any_column_privilege(${role}::name, c.oid, 'UPDATE'), 'delete', has_table_privilege(${role}::name, c.oid, 'DELETE'),
        'truncate', has_table_privilege(${role}::name, c.oid, 'TRUNCATE')) as may
    from wanted w join pg_class c on c.oid = w.oid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname not like 'pg\\_%' order by n.nspname = ${schema} desc, c.relname`);
  return tables.map((table) => ({
    ...table,
    reachesOut: wayOf(reach.fromRelation(table.oid)),
    asksLogin: wayOf(reach.loginAskedByRelation(table.oid)),
  }));
}
