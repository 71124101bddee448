import { type Sql, ident, join, sql } from '../../../pg/sql.js';
import { tableOf } from '../../rows/side.js';
import type { TenantTable } from '../../rows/tables.js';
import type { Inspected, MoveFinding, PreflightRule } from './finding.js';

interface Reference {
  name: string;
  schema: string;
  child: string;
  parentSchema: string;
  parent: string;
  childColumns: string[];
  parentColumns: string[];
}

/**
 * A key between a table that moves and one that does not: one end of it would be missing somewhere. Those that lead
 * into the tables of a pool are looked for where rows are merged into it.
 */
export const keysAcrossTheBorder: PreflightRule = async ({ source }) => {
  const { schema } = source.side.home.placement;
  const moved = new Set(source.tables.map(({ name }) => name));
  const references = await readReferences(source);
  return references.flatMap((reference) => {
    const [child, parent] = [
      reference.schema === schema && moved.has(reference.child),
      reference.parentSchema === schema && moved.has(reference.parent),
    ];
    if (child && reference.parentSchema !== schema) return [toOutside(reference)];
    return parent && !child && !source.side.shared ? [fromOutside(reference)] : [];
  });
};

function toOutside(reference: Reference): MoveFinding {
  const parent = `${reference.parentSchema}.${reference.parent}`;
  return {
    rule: 'foreign-key-to-outside',
    level: 'error',
    where: `${reference.child}.${reference.name}`,
    message: `Foreign key ${reference.name} of table ${reference.child} points to table ${parent}, which no migration makes at the new home.`,
    hint: `Make the table with a migration, so that every home has it, and point the key there; or take the key away: ${dropOf(reference)}`,
  };
}

function fromOutside(reference: Reference): MoveFinding {
  const child = `${reference.schema}.${reference.child}`;
  return {
    rule: 'foreign-key-from-outside',
    level: 'error',
    where: `${child}.${reference.name}`,
    message: `Foreign key ${reference.name} of table ${child}, which is not moved, points to table ${reference.parent}, which is: its rows would refer to rows that have left.`,
    hint: `Give ${child} the tenant column, so that its rows move as well, or take the key away: ${dropOf(reference)}`,
  };
}

function dropOf({ schema, child, name }: Reference): string {
  return sql`alter table ${ident(schema, child)} drop constraint ${ident(name)};`.text();
}

/** The server checks references with every tenant in sight, so without the tenant column one may point to another's row. */
export const keysWithoutTenant: PreflightRule = async ({ source, target }) => {
  const pool = source.side.shared ? source : target;
  if (pool === null || !pool.side.shared) return [];
  const byName = new Map(pool.tables.map((table) => [table.name, table]));
  const { schema } = pool.side.home.placement;
  const findings: MoveFinding[] = [];
  for (const reference of await readReferences(pool)) {
    const [child, parent] = [byName.get(reference.child), byName.get(reference.parent)];
    if (reference.schema !== schema || reference.parentSchema !== schema) continue;
    if (child === undefined || parent === undefined || holdsTenant(reference, child, parent)) continue;
    findings.push(withoutTenant(pool, reference, child, await crosses(pool, reference, child, parent)));
  }
  return findings;
};

function holdsTenant(
  { childColumns, parentColumns }: Reference,
  child: TenantTable,
  parent: TenantTable,
): boolean {
  return childColumns.some(
    (column, index) => column === child.tenantColumn && parentColumns[index] === parent.tenantColumn,
  );
}

/** Does a row of the tenant refer to a row of another one, or the other way round? */
async function crosses(
  { session, side }: Inspected,
  reference: Reference,
  child: TenantTable,
  parent: TenantTable,
): Promise<boolean> {
  const row = await session.row<{ crosses: boolean }>(sql`
    select exists (${crossing(side, reference, child, parent, '=', '<>')})
        or exists (${crossing(side, reference, child, parent, '<>', '=')}) as crosses`);
  return row?.crosses === true;
}

function crossing(
  side: Inspected['side'],
  { childColumns, parentColumns }: Reference,
  child: TenantTable,
  parent: TenantTable,
  ...[ofChild, ofParent]: ['=' | '<>', '=' | '<>']
): Sql {
  const pairs = childColumns.map(
    (column, index) => sql`${ident('c', column)} = ${ident('p', parentColumns[index] as string)}`,
  );
  const isTenant = (alias: string, { tenantColumn }: TenantTable, how: '=' | '<>'): Sql => {
    const column = ident(alias, tenantColumn as string);
    return how === '=' ? sql`${column} = ${side.home.tenant.key}` : sql`${column} <> ${side.home.tenant.key}`;
  };
  return sql`select from ${tableOf(side, child.name)} c join ${tableOf(side, parent.name)} p on ${join(pairs, ' and ')}
    where ${isTenant('c', child, ofChild)} and ${isTenant('p', parent, ofParent)}`;
}

function withoutTenant(
  { side }: Inspected,
  { name, parent, childColumns, parentColumns }: Reference,
  child: TenantTable,
  crossesTenants: boolean,
): MoveFinding {
  const tenant = child.tenantColumn as string;
  const list = (columns: string[]): Sql => join([tenant, ...columns].map((column) => ident(column)));
  const [on, key] = [tableOf(side, child.name), ident(name)];
  const better = sql`alter table ${on} drop constraint ${key}, add constraint ${key} foreign key (${list(childColumns)}) references ${tableOf(side, parent)} (${list(parentColumns)});`;
  const pairs = childColumns.map(
    (column, index) => sql`${ident('c', column)} = ${ident('p', parentColumns[index] as string)}`,
  );
  const rows = sql`select c.* from ${on} c join ${tableOf(side, parent)} p on ${join(pairs, ' and ')} where ${ident('c', tenant)} <> ${ident('p', tenant)};`;
  return {
    rule: crossesTenants ? 'reference-across-tenants' : 'foreign-key-without-tenant',
    level: crossesTenants ? 'error' : 'warning',
    where: `${child.name}.${name}`,
    message: crossesTenants
      ? `Through foreign key ${name} rows of table ${child.name} refer to rows of another tenant in table ${parent}; the move would tear them apart.`
      : `Foreign key ${name} of table ${child.name} does not include ${tenant}, so a row may come to refer to another tenant's row in table ${parent}.`,
    hint: crossesTenants
      ? `Find the rows, as a role that sees every tenant, and correct them: ${rows.text()} Then keep them from coming again: ${better.text()}`
      : `With a migration, over a unique key of the same columns: ${better.text()}`,
  };
}

/** The foreign keys that begin or end in the schema of one home; one of a partition counts for its table. */
function readReferences({ session, side }: Inspected): Promise<Reference[]> {
  const columns = (relation: Sql, numbers: Sql): Sql => sql`
    (select array_agg(a.attname::text order by u.n) from unnest(${numbers}) with ordinality as u (attnum, n)
       join pg_attribute a on a.attrelid = ${relation} and a.attnum = u.attnum)`;
  return session.rows<Reference>(sql`
    select distinct k.conname::text as name, cn.nspname::text as schema, c.relname::text as child,
           pn.nspname::text as "parentSchema", p.relname::text as parent,
           ${columns(sql`k.conrelid`, sql`k.conkey`)} as "childColumns", ${columns(sql`k.confrelid`, sql`k.confkey`)} as "parentColumns"
      from pg_constraint k
      join pg_class c on c.oid = coalesce(pg_partition_root(k.conrelid)::oid, k.conrelid)
      join pg_class p on p.oid = coalesce(pg_partition_root(k.confrelid)::oid, k.confrelid)
      join pg_namespace cn on cn.oid = c.relnamespace join pg_namespace pn on pn.oid = p.relnamespace
     where k.contype = 'f' and k.conparentid = 0 and ${side.home.placement.schema} in (cn.nspname, pn.nspname)
     order by 2, 3, 1`);
}
