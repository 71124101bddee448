import { refusedError } from '../../core/errors.js';
import type { ExportManifest, ExportedTable } from '../../core/export-manifest.js';
import type { Scope, ScopedTable } from '../rows/scope.js';
import type { Side } from '../rows/side.js';
import type { TenantTable } from '../rows/tables.js';
import { type Rekeying, keyColumnsOf, rekeyingOf } from './rekey.js';

/** A table of an export and the one of the home that takes its rows. */
export interface Pair<Table extends TenantTable = TenantTable> {
  exported: ExportedTable;
  target: Table;
  /** The same with the columns of the file alone, in its order. */
  carried: Table;
  rekeying: Rekeying;
}

export interface Pairs {
  tenant: Pair<ScopedTable>[];
  reference: Pair[];
}

/**
 * Finds for every table of an export the one of a home, and makes sure that no value of the file has nowhere to go and
 * that no column of the home would be without one.
 * @throws refusal `EXPORT_UNLIKE_HOME` (exit 6) that names what differs
 */
export function pairTables(manifest: ExportManifest, scope: Scope, side: Side): Pairs {
  const { tables, leftOut } = manifest;
  const owned = new Map(scope.tables.map((table) => [table.name, table]));
  const shared = new Map(scope.shared.map((table) => [table.name, table]));
  const known = new Set([...tables, ...leftOut].map(({ table }) => table));
  const differences = [
    ...tables.flatMap((table) => {
      const target = (table.kind === 'tenant' ? owned : shared).get(table.table);
      return target === undefined ? [placeless(table, scope)] : differencesOf(table, target, side);
    }),
    ...scope.tables.filter(({ name }) => !known.has(name)).map(({ name }) => `table ${name} is not in it`),
  ];
  if (differences.length > 0) throw unlike(side, differences);
  const keyColumns = keyColumnsOf(scope);
  const rekeying = (carried: TenantTable) => rekeyingOf(manifest, side.home.tenant.key, carried, keyColumns);
  return {
    tenant: tables.filter(({ kind }) => kind === 'tenant').map((table) => pair(table, owned, rekeying)),
    reference: tables
      .filter(({ kind }) => kind === 'reference')
      .map((table) => pair(table, shared, rekeying)),
  };
}

function pair<Table extends TenantTable>(
  exported: ExportedTable,
  targets: ReadonlyMap<string, Table>,
  rekeyingOfTable: (carried: TenantTable) => Rekeying,
): Pair<Table> {
  const target = targets.get(exported.table) as Table;
  const columns = exported.columns.flatMap(
    ({ name }) => target.columns.find((one) => one.name === name) ?? [],
  );
  const carried = { ...target, columns };
  return { exported, target, carried, rekeying: rekeyingOfTable(carried) };
}

function placeless({ table, kind }: ExportedTable, scope: Scope): string {
  const unclassified = scope.unclassified.find((one) => one.table === table);
  if (unclassified !== undefined)
    return `table ${table}: nothing says whose its rows are there, as ${unclassified.problem} (${unclassified.remedy})`;
  return kind === 'tenant'
    ? `table ${table} holds no rows of tenants there`
    : `table ${table} is not a table there that tenants share`;
}

function differencesOf(exported: ExportedTable, target: TenantTable, side: Side): string[] {
  const there = new Map(target.columns.map((column) => [column.name, column]));
  const carried = new Set(exported.columns.map(({ name }) => name));
  const computed = new Set(
    exported.leftOutColumns.filter(({ reason }) => reason === 'generated').map(({ name }) => name),
  );
  const found = exported.columns.flatMap(({ name, type }) => {
    const column = there.get(name);
    if (column === undefined) return [`column ${name} is missing there`];
    if (column.generated) return [`column ${name} is computed there`];
    return column.type === type ? [] : [`column ${name} is ${type} in it and ${column.type} there`];
  });
  const lacking = target.columns
    .filter(({ name, generated }) => !generated && !carried.has(name) && name !== target.tenantColumn)
    .map(({ name }) => `column ${name} is ${computed.has(name) ? 'computed' : 'missing'} in it`);
  // Where the table has no other column, the file has this one although it is the same in every row.
  const mixed =
    side.shared && carried.size > 1 && target.tenantColumn !== null && carried.has(target.tenantColumn)
      ? [`its rows have more than one value of ${target.tenantColumn}, which a pool tells tenants apart by`]
      : [];
  return [...found, ...lacking, ...mixed].map((difference) => `table ${exported.table}: ${difference}`);
}

function unlike({ home }: Side, differences: string[]) {
  const { schema, database } = home.placement;
  return refusedError(
    'EXPORT_UNLIKE_HOME',
    `The export does not fit schema ${schema} of database ${database}: ${differences.slice(0, 4).join('; ')}.`,
    {
      hint: 'Nothing was filled in. Check that the migration files are those that the export was made with; restore it into a home of its own (--tier schema) with those, and migrate it from there.',
      facts: { differences, schema, database },
    },
  );
}
