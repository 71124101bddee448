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
  const tables = new Map<string, ScopedTable>();
  for (const table of all)
    if (table.tenantColumn !== null) tables.set(table.name, { ...table, through: null });
  const unclassified: Scope['unclassified'] = [];
  const open = new Map(all.filter(({ name }) => !tables.has(name)).map((table) => [table.name, table]));
  // A table may be reached over another one that is: again until no more come.
  for (let size = -1; size !== tables.size;) {
    size = tables.size;
    for (const table of [...open.values()]) {
      const reaching = foreignKeys.filter(
        (key) => key.child === table.name && key.child !== key.parent && tables.has(key.parent),
      );
      const sure = reaching.find((key) => key.notNull);
      if (sure === undefined) continue;
      const parent = tables.get(sure.parent) as ScopedTable;
      tables.set(table.name, {
        ...table,
        through: { columns: sure.columns, parent, referenced: sure.referenced },
      });
      open.delete(table.name);
    }
  }
  const owned = tables.size === 0 && !side.shared;
  for (const table of open.values()) {
    const maybe = foreignKeys.find((key) => key.child === table.name && tables.has(key.parent));
    if (maybe !== undefined && side.shared) unclassified.push(mayBeOwned(table, maybe));
    else if (owned) tables.set(table.name, { ...table, through: null });
  }
  if (side.shared) unclassified.push(...(await writableByAnyone(session, side, [...open.keys()], writable)));
  const shared = [...open.values()].filter(
    ({ name }) => !tables.has(name) && !unclassified.some(({ table }) => table === name),
  );
  return { tables: [...tables.values()], shared, unclassified, foreignKeys };
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
      from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(c.relacl) a
      left join pg_roles r on r.oid = a.grantee
     where n.nspname = ${side.home.placement.schema} and c.relname = any (${asked}::text[])
       and a.privilege_type in ('INSERT', 'UPDATE') and a.grantee <> c.relowner order by 1, 2`);
  return rows.map(({ table, role }) => ({
    table,
    problem: `it has no tenant column, and ${role} may write to it`,
    remedy: `give it the tenant column with a migration; or name it under tenancy.shared when it holds nothing of a tenant; or revoke the right from ${role}`,
  }));
}
