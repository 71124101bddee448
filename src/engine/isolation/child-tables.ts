import type { TenancySettings } from '../../core/settings.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import { isToolTable } from '../ledger/tool-tables.js';
import type { RuleContext } from './catalog-rule.js';
import { isObserved, poolSchemas } from './tables.js';

/** A table of an observed pool without the tenant column. */
export interface Child {
  oid: number;
  schema: string;
  name: string;
  kind: string;
}

/** A foreign key within a pool. */
export interface Reference {
  from: number;
  to: number;
  toSchema: string;
  toTable: string;
  columns: string[];
  toColumns: string[];
  /** Must every row refer to one? */
  required: boolean;
  /** Has the other table the tenant column? */
  tenanted: boolean;
}

const BATCH = 10_000;

export function readChildren(context: RuleContext): Promise<Child[]> {
  return context.session.rows<Child>(sql`
    select c.oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any (${poolSchemas(context)}::text[]) and c.relkind in ('r', 'p') and not c.relispartition
       and not ${raw(isToolTable('c'))} and ${isObserved(context)} and ${withoutColumn(sql`c.oid`, context.tenancy.column)}
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by 2, 3`);
}

export function readReferences(context: RuleContext): Promise<Reference[]> {
  const named = (oid: Sql, keys: Sql) =>
    sql`array(select a.attname::text from unnest(${keys}) with ordinality k (attnum, n)
      join pg_attribute a on a.attrelid = ${oid} and a.attnum = k.attnum order by k.n)`;
  return context.session.rows<Reference>(sql`
    select f.conrelid as from, f.confrelid as to, tn.nspname::text as "toSchema", t.relname::text as "toTable",
           ${named(sql`f.conrelid`, sql`f.conkey`)} as columns, ${named(sql`f.confrelid`, sql`f.confkey`)} as "toColumns",
           not exists (select from pg_attribute a where a.attrelid = f.conrelid and a.attnum = any (f.conkey) and not a.attnotnull) as required,
           not ${withoutColumn(sql`f.confrelid`, context.tenancy.column)} as tenanted
      from pg_constraint f join pg_class c on c.oid = f.conrelid join pg_namespace n on n.oid = c.relnamespace
      join pg_class t on t.oid = f.confrelid join pg_namespace tn on tn.oid = t.relnamespace
     where f.contype = 'f' and f.conparentid = 0 and n.nspname = any (${poolSchemas(context)}::text[])
     order by f.conname`);
}

function withoutColumn(oid: Sql, column: string): Sql {
  return sql`not exists (select from pg_attribute a where a.attrelid = ${oid} and a.attname = ${column} and a.attnum > 0 and not a.attisdropped)`;
}

/** The shortest way by foreign keys to a table with the tenant column; of equal ones that on which no reference may be NULL. */
export function pathToTenant(child: Child, references: readonly Reference[]): Reference[] | null {
  const seen = new Set([child.oid]);
  let ends: { at: number; path: Reference[] }[] = [{ at: child.oid, path: [] }];
  while (ends.length > 0) {
    const longer = ends.flatMap(({ at, path }) =>
      references.filter(({ from }) => from === at).map((next) => ({ at: next.to, path: [...path, next] })),
    );
    const found = longer.filter(({ path }) => path.at(-1)?.tenanted === true);
    const best = found.find(({ path }) => path.every(({ required }) => required)) ?? found[0];
    if (best !== undefined) return best.path;
    ends = longer.filter(({ at }) => !seen.has(at));
    for (const { at } of ends) seen.add(at);
  }
  return null;
}

/** What gives a child the tenant column: added, filled in batches, proved, required and indexed. */
export function statementsFor(
  { schema, name, kind }: Child,
  path: readonly Reference[],
  { column, columnType }: TenancySettings,
): Sql[] {
  const [table, tenant, check] = [ident(schema, name), ident(column), ident(`${column}_not_null`)];
  const joins = path.map(({ toSchema, toTable, columns, toColumns }, n) => {
    const on = columns.map(
      (own, at) => sql`${ident(`p${n}`, own)} = ${ident(`p${n + 1}`, toColumns[at] ?? own)}`,
    );
    return sql`join ${ident(toSchema, toTable)} ${ident(`p${n + 1}`)} on ${join(on, ' and ')}`;
  });
  const last = ident(`p${path.length}`, column);
  return [
    sql`alter table ${table} add column ${tenant} ${raw(columnType)}`,
    sql`update ${table} x set ${tenant} = s.tenant from (select p0.tableoid as part, p0.ctid as place, ${last} as tenant from ${table} p0 ${join(joins, ' ')} where ${ident('p0', column)} is null and ${last} is not null limit ${raw(String(BATCH))}) s where x.tableoid = s.part and x.ctid = s.place`,
    sql`create index ${raw(kind === 'p' ? '' : 'concurrently ')}on ${table} (${tenant})`,
    sql`alter table ${table} add constraint ${check} check (${tenant} is not null) not valid`,
    sql`alter table ${table} validate constraint ${check}`,
    sql`alter table ${table} alter column ${tenant} set not null`,
    sql`alter table ${table} drop constraint ${check}`,
  ];
}
