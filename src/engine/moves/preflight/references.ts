import { ident, join, raw, sql } from '../../../pg/sql.js';
import { tableOf } from '../../rows/side.js';
import { type TenantTable, readTables } from '../../rows/tables.js';
import { sumTables } from '../../rows/sums.js';
import type { Inspected, MoveFinding, PreflightRule } from './finding.js';

/** Larger tables are compared as a whole only. */
const NAMED_BELOW = 10_000;
const NAMED = 3;

/** Tables that are not moved stand in both homes, and rows that are moved refer to them by value. */
export const referenceTables: PreflightRule = async ({ fleet, source, target }) => {
  if (target === null) return [];
  const { column } = fleet.settings.tenancy;
  const twins = new Map((await stayingTables(target, column)).map((table) => [table.name, table]));
  const findings: MoveFinding[] = [];
  for (const table of await stayingTables(source, column)) {
    const twin = twins.get(table.name);
    if (twin !== undefined) findings.push(...(await compare(source, target, table, twin)));
  }
  return findings;
};

async function stayingTables({ session, side, tables }: Inspected, column: string): Promise<TenantTable[]> {
  const moved = new Set(tables.map(({ name }) => name));
  return (await readTables(session, side, column, false)).filter(({ name }) => !moved.has(name));
}

async function compare(
  source: Inspected,
  target: Inspected,
  table: TenantTable,
  twin: TenantTable,
): Promise<MoveFinding[]> {
  const [[here], [there]] = [
    await sumTables(source.session, source.side, [table]),
    await sumTables(target.session, target.side, [twin]),
  ];
  if (here === undefined || there === undefined) return [];
  if (here.rows === there.rows && here.hash === there.hash) return [];
  const named = Math.max(here.rows, there.rows) < NAMED_BELOW && table.key.length > 0;
  const keys = named ? await differingKeys(source, target, table, twin) : '';
  return [
    {
      rule: 'reference-table-differs',
      level: 'error',
      where: table.name,
      message: `Table ${table.name} is not moved and must hold the same rows in both homes, but has ${here.rows} rows here and ${there.rows} at the new home${keys}.`,
      hint: `Correct its rows with a migration, so that every home has them; to compare: select * from ${tableOf(source.side, table.name).text()}; and select * from ${tableOf(target.side, table.name).text()}; in database ${target.side.home.placement.database}.`,
    },
  ];
}

/** `: key (eu) is missing there, key (us) differs` */
async function differingKeys(
  source: Inspected,
  target: Inspected,
  table: TenantTable,
  twin: TenantTable,
): Promise<string> {
  const here = await rowsByKey(source, table, table.key);
  const there = await rowsByKey(target, twin, table.key);
  const differences = [...new Set([...here.keys(), ...there.keys()])]
    .filter((key) => here.get(key) !== there.get(key))
    .map((key) => {
      if (!there.has(key)) return `key ${key} is missing there`;
      return here.has(key) ? `key ${key} differs` : `key ${key} is only there`;
    });
  const more = differences.length > NAMED ? ` and ${differences.length - NAMED} more` : '';
  return `: ${differences.slice(0, NAMED).join(', ')}${more}`;
}

async function rowsByKey(
  { session, side }: Inspected,
  { name, columns }: TenantTable,
  key: readonly string[],
): Promise<Map<string, string>> {
  const list = (names: readonly string[]) => join(names.map((column) => ident(column)));
  const rows = await session.rows<{ key: string; text: string }>(sql`
    select row(${list(key)})::text as key, row(${list(columns.map((column) => column.name))})::text as text
      from ${tableOf(side, name)} order by ${list(key)} limit ${raw(String(NAMED_BELOW))}`);
  return new Map(rows.map(({ key: value, text }) => [value, text]));
}
