import { refusedError } from '../../core/errors.js';
import type { ExportManifest, ExportedTable } from '../../core/export-manifest.js';
import type { TenancySettings } from '../../core/settings.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { ForeignKey } from '../rows/foreign-keys.js';
import { childrenFirst } from '../rows/reference-order.js';
import { type Scope, type ScopedTable, readScope, scopedRows } from '../rows/scope.js';
import { type Side, tableOf } from '../rows/side.js';
import type { TableColumn, TenantTable } from '../rows/tables.js';
import { circlesOf } from './circles.js';
import { findReferred, referredRows, referredTables } from './closure.js';
import { type ExportColumn, readColumns } from './columns.js';
import type { Snapshot } from './snapshot.js';

/** A table that is exported. */
export interface PlannedTable {
  name: string;
  kind: ExportedTable['kind'];
  /** Those in the file, in the order of the table. */
  columns: ExportColumn[];
  leftOutColumns: ExportedTable['leftOutColumns'];
  key: string[];
  references: ExportedTable['references'];
  /** `table x where …`: its rows. */
  rows: Sql;
  /** Its rows are known to the session that has planned this, and to no other one. */
  private: boolean;
}

/** What is exported of a home, in the order of the files. */
export interface ExportPlan extends Pick<ExportManifest, 'circles' | 'leftOut' | 'largeObjects'> {
  tables: PlannedTable[];
}

/**
 * Decides what of a home is its tenant's, as the database stands.
 * @throws refusal `EXPORT_UNCLASSIFIED` (exit 6) that names every table of which nothing says whose its rows are
 */
export async function planExport(snapshot: Snapshot, tenancy: TenancySettings): Promise<ExportPlan> {
  const { session, side } = snapshot;
  const scope = await readScope(session, side, tenancy.column, tenancy.shared);
  assertClassified(side, scope);
  if (side.shared) await findReferred(session, side, scope);
  const columns = await readColumns(session, side);
  const chosen = chooseTables(side, scope);
  const ordered = childrenFirst(chosen, scope.foreignKeys).toReversed();
  const tables: PlannedTable[] = [];
  for (const table of ordered) {
    const all = columns.get(table.name) ?? [];
    const dropped = await sameInEveryRow(snapshot, tenancy, table);
    tables.push(planTable(side, scope.foreignKeys, table, all, dropped));
  }
  const names = tables.map(({ name }) => name);
  return {
    tables,
    circles: circlesOf(names, scope.foreignKeys),
    leftOut: [...unreferred(scope, names), ...(await otherRelations(snapshot))],
    largeObjects: [...columns].some(([name, all]) => names.includes(name) && all.some(isLargeObject))
      ? 'not exported'
      : 'none',
  };
}

type ChosenTable = ScopedTable & { kind: ExportedTable['kind'] };

/** In a pool the shared tables to which something refers; in a home of the tenant's own all that there are. */
function chooseTables(side: Side, scope: Scope): ChosenTable[] {
  const referred = side.shared ? referredTables(scope) : undefined;
  return [
    ...scope.tables.map((table): ChosenTable => ({ ...table, kind: 'tenant' })),
    ...scope.shared
      .filter(({ name }) => referred?.has(name) ?? true)
      .map((table): ChosenTable => ({ ...table, through: null, kind: 'reference' })),
  ];
}

function planTable(
  side: Side,
  foreignKeys: readonly ForeignKey[],
  table: ChosenTable,
  all: readonly ExportColumn[],
  same: boolean,
): PlannedTable {
  const isKey = (name: string): boolean => same && name === table.tenantColumn;
  const columns = all.filter(({ name, generated }) => !generated && !isKey(name));
  const there = new Set(columns.map(({ name }) => name));
  const referred = side.shared && table.kind === 'reference';
  const condition = referred ? referredRows('x') : scopedRows(side, table, 'x');
  return {
    name: table.name,
    kind: table.kind,
    columns,
    leftOutColumns: all
      .filter(({ name }) => !there.has(name))
      .map(({ name, generated }) => ({ name, reason: generated ? 'generated' : 'tenant key' })),
    key: table.key.filter((name) => there.has(name)),
    references: foreignKeys
      .filter(({ child }) => child === table.name)
      .map(({ columns: own, parent, referenced }) => ({ columns: own, table: parent, referenced })),
    rows: sql`${only(table)}${tableOf(side, table.name)} x where ${condition}`,
    private: referred,
  };
}

/** A table from which others inherit would give their rows as well. A partitioned one has none of its own. */
function only({ leaves }: TenantTable): Sql {
  return raw(leaves.length > 0 ? '' : 'only ');
}

/**
 * Has every row the key of the tenant, so that the column says nothing? In a home of its own rows of others may have been
 * left; each question finds its answer in an index of the column where there is one.
 */
async function sameInEveryRow(
  { session, side }: Snapshot,
  { columnType }: TenancySettings,
  table: ChosenTable,
): Promise<boolean> {
  const { tenantColumn, name } = table;
  if (tenantColumn === null || isOnlyColumn(table)) return false;
  if (side.shared) return true;
  const { type, notNull } = table.columns.find((one) => one.name === tenantColumn) as TableColumn;
  const column = ident('x', tenantColumn);
  const { key } = side.home.tenant;
  const conditions =
    type === columnType
      ? [sql`${column} < ${key}`, sql`${column} > ${key}`, ...(notNull ? [] : [sql`${column} is null`])]
      : [sql`${column}::text is distinct from ${key}`];
  const from = sql`${only(table)}${tableOf(side, name)} x`;
  const questions = conditions.map((condition) => sql`exists (select from ${from} where ${condition})`);
  const row = await session.row<{ other: boolean }>(sql`select ${join(questions, ' or ')} as other`);
  return row?.other === false;
}

/** Rows without any column could not be read again. */
function isOnlyColumn({ columns }: TenantTable): boolean {
  return columns.filter(({ generated }) => !generated).length === 1;
}

function unreferred({ shared }: Scope, exported: readonly string[]): ExportManifest['leftOut'] {
  return shared
    .filter(({ name }) => !exported.includes(name))
    .map(({ name }) => ({
      table: name,
      reason: 'shared by all tenants, and no table of the tenant refers to it',
    }));
}

/** What looks like a table and holds no rows of its own. */
function otherRelations({ session, side }: Snapshot): Promise<ExportManifest['leftOut']> {
  return session.rows(sql`
    select c.relname::text as table, case c.relkind
        when 'm' then 'a materialized view: made again from the tables' else 'a foreign table: its rows are on another server' end as reason
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${side.home.placement.schema} and c.relkind in ('m', 'f') order by 1`);
}

/** Large objects are reached by their numbers, which nothing but the type of a column tells. */
function isLargeObject({ type }: ExportColumn): boolean {
  return type === 'oid' || type === 'lo' || type.endsWith('.lo');
}

function assertClassified({ home }: Side, { unclassified }: Scope): void {
  if (unclassified.length === 0) return;
  const lines = unclassified.map(
    ({ table, problem, remedy }) => `  ${table}: ${problem}\n    remedy: ${remedy}`,
  );
  throw refusedError(
    'EXPORT_UNCLASSIFIED',
    [
      `Tenant ${home.tenant.id} is not exported: nothing says whose the rows of these tables are.`,
      ...lines,
    ].join('\n'),
    {
      hint: 'An export that leaves out rows of the tenant, or holds those of others, is worse than none. Nothing was written.',
      facts: { tenant: home.tenant.id, unclassified },
    },
  );
}
