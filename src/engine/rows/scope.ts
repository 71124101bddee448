import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, sql } from '../../pg/sql.js';
import { type ForeignKey, readForeignKeys } from './foreign-keys.js';
import { type Side, tableOf } from './side.js';
import { type TenantTable, ownRows, readTables } from './tables.js';

/** A table of a home with what decides which of its rows are the tenant's. */
export interface ScopedTable extends TenantTable {
  /** In a shared home a table without the tenant column: its rows are those of the table that it refers to. */
  through: { columns: string[]; parent: ScopedTable; referenced: string[] } | null;
}

/** Everything in a home, as it stands in the database now; no list kept by hand can miss a table. */
export interface Scope {
  /** Tables with rows of the tenant. */
  tables: ScopedTable[];
  /** Tables that belong to no tenant: reference data. */
  shared: TenantTable[];
  /** Tables of which nothing says whose their rows are. */
  unclassified: { table: string; problem: string; remedy: string }[];
  foreignKeys: ForeignKey[];
}

/**
 * Finds out whose rows each table of a home holds. In a home of the tenant's own a table is shared when it has neither
 * the tenant column nor a way to one, although others have: those rows are the product's.
 * @param writable tables without the tenant column that the application may write, by configuration
 */
export async function readScope(
  session: Connection,
  side: Side,
  tenantColumn: string,
  writable: readonly string[],
): Promise<Scope> {
  const all = await readTables(session, side, tenantColumn, false);
  const foreignKeys = await readForeignKeys(session, side);
  // Nobody else has rows in a home of its own: what may refer to a row of the tenant is the tenant's as well.
  const owned = reachedTables(all, side.shared ? foreignKeys.filter(({ notNull }) => notNull) : foreignKeys);
  const others = all.filter(({ name }) => !owned.has(name));
  // Where no table has the tenant column, all of a home of the tenant's own are its own.
  if (!side.shared && owned.size === 0)
    return { tables: others.map(asOwn), shared: [], unclassified: [], foreignKeys };
  const unclassified = side.shared ? await doubtful(session, side, others, owned, foreignKeys, writable) : [];
  const doubted = new Set(unclassified.map(({ table }) => table));
  const shared = others.filter(({ name }) => !doubted.has(name));
  return { tables: [...owned.values()], shared, unclassified, foreignKeys };
}

const asOwn = (table: TenantTable): ScopedTable => ({ ...table, through: null });

/** Tables with the tenant column, and those that refer to one of them, directly or by way of others. */
function reachedTables(
  all: readonly TenantTable[],
  foreignKeys: readonly ForeignKey[],
): Map<string, ScopedTable> {
  const reached = new Map(
    all.filter(({ tenantColumn }) => tenantColumn !== null).map((table) => [table.name, asOwn(table)]),
  );
  for (let before = -1; before !== reached.size;) {
    before = reached.size;
    for (const table of all) {
      const key = foreignKeys.find(({ child, parent }) => child === table.name && reached.has(parent));
      if (reached.has(table.name) || key === undefined) continue;
      const parent = reached.get(key.parent) as ScopedTable;
      reached.set(table.name, {
        ...table,
        through: { columns: key.columns, parent, referenced: key.referenced },
      });
    }
  }
  return reached;
}

/** Tables of a shared home that may hold rows of the tenant, and may not. */
async function doubtful(
  session: Connection,
  side: Side,
  others: readonly TenantTable[],
  owned: ReadonlyMap<string, ScopedTable>,
  foreignKeys: readonly ForeignKey[],
  writable: readonly string[],
): Promise<Scope['unclassified']> {
  const nullable = others.flatMap((table) => {
    const key = foreignKeys.find(({ child, parent }) => child === table.name && owned.has(parent));
    return key === undefined ? [] : [mayBeOwned(table, key)];
  });
  const names = others
    .map(({ name }) => name)
    .filter((name) => !nullable.some(({ table }) => table === name));
  return [...nullable, ...(await writableByAnyone(session, side, names, writable))];
}

/** The condition for the rows of the tenant in a table of a scope. */
export function scopedRows(side: Side, table: ScopedTable, alias: string): Sql {
  if (!side.shared || table.through === null) return ownRows(side, table, alias);
  const { columns, parent, referenced } = table.through;
  const above = `${alias}_of`;
  const same = columns.map(
    (name, n) => sql`${ident(above, referenced[n] as string)} = ${ident(alias, name)}`,
  );
  return sql`exists (select from ${tableOf(side, parent.name)} ${ident(above)}
    where ${join(same, ' and ')} and ${scopedRows(side, parent, above)})`;
}

function mayBeOwned({ name }: TenantTable, { parent, columns }: ForeignKey) {
  return {
    table: name,
    problem: `it refers to ${parent} by ${columns.join(', ')}, which may be NULL, so some of its rows may be the tenant's and others nobody's`,
    remedy: `with a migration: alter table ${ident(name).text()} add the tenant column, or set ${columns.map((column) => ident(column).text()).join(', ')} not null`,
  };
}

/** What an application may write without the tenant column, and nobody has said that it is shared, may hold anything. */
async function writableByAnyone(
  session: Connection,
  side: Side,
  tables: readonly string[],
  writable: readonly string[],
): Promise<Scope['unclassified']> {
  const asked = tables.filter((name) => !writable.includes(name));
  if (asked.length === 0) return [];
  const rows = await session.rows<{ table: string; role: string }>(sql`
    select distinct on (1) c.relname::text as table, coalesce(r.rolname::text, 'PUBLIC') as role
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      cross join lateral (select * from aclexplode(c.relacl) union all
        select e.* from pg_attribute col cross join lateral aclexplode(col.attacl) e where col.attrelid = c.oid and not col.attisdropped) a
      left join pg_roles r on r.oid = a.grantee
     where n.nspname = ${side.home.placement.schema} and c.relname = any (${asked}::text[])
       and a.privilege_type in ('INSERT', 'UPDATE') and a.grantee <> c.relowner order by 1, 2`);
  return rows.map(({ table, role }) => ({
    table,
    problem: `it has no tenant column, and ${role} may write to it`,
    remedy: `give it the tenant column with a migration; or name it under tenancy.shared when it holds nothing of a tenant; or revoke the right from ${role}`,
  }));
}
