import { refusedError } from '../../core/errors.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import { type Side, tableOf } from '../rows/side.js';
import { rowHash, sumTables } from '../rows/sums.js';
import { type TenantTable, readTables } from '../rows/tables.js';
import type { Stream } from './sync.js';

/** More rows than these are not compared one by one while writers wait. */
const COMPARED_BELOW = 50_000;
const NAMED = 3;

/**
 * Tables that every tenant may write to belong to none, so a move leaves them where they are. What stands in those of the home that
 * is left, written there by this tenant perhaps, must stand in the other one as well, or it would be lost. To be called in the transaction that
 * decides: until then nobody writes to them any more.
 * @param shared names of the tables that applications may write to although they have no tenant column
 * @throws refusal `SHARED_ROWS_MISSING` (exit 6) that names the table and rows
 */
export async function assertSharedRowsThere(
  { from, to, stages }: Stream,
  tenantColumn: string,
  shared: readonly string[],
): Promise<void> {
  const carried = new Set(stages.map(({ source }) => source.name));
  const left = shared.filter((name) => !carried.has(name));
  if (left.length === 0) return;
  const staying = async ({ session, side }: End): Promise<TenantTable[]> =>
    (await readTables(session, side, tenantColumn, false)).filter(({ name }) => left.includes(name));
  const here = await staying(from);
  if (here.length === 0) return;
  await from.session.execute(
    sql`lock table ${join(here.map(({ name }) => tableOf(from.side, name)))} in share mode`,
  );
  const twins = new Map((await staying(to)).map((table) => [table.name, table]));
  for (const table of here) {
    const missing = await missingRows(from, to, table, twins.get(table.name));
    if (missing.length > 0) throw rowsMissing(from.side, to.side, table, missing);
  }
}

type End = Pick<Stream['from'], 'session' | 'side'>;

/** The keys of rows that stand here and not, or not like this, there. */
async function missingRows(
  here: End,
  there: End,
  table: TenantTable,
  twin: TenantTable | undefined,
): Promise<string[]> {
  const [own] = await sumTables(here.session, here.side, [table]);
  const [other] = twin === undefined ? [] : await sumTables(there.session, there.side, [twin]);
  if (own === undefined || own.rows === 0) return [];
  if (other !== undefined && own.rows === other.rows && own.hash === other.hash) return [];
  if (twin === undefined || Math.max(own.rows, other?.rows ?? 0) > COMPARED_BELOW)
    return ['too many to name'];
  const present = new Set((await rowsOf(there, twin)).map(({ hash }) => hash));
  return (await rowsOf(here, table)).filter(({ hash }) => !present.has(hash)).map(({ key }) => key);
}

function rowsOf({ session, side }: End, table: TenantTable): Promise<{ key: string; hash: string }[]> {
  const names = table.key.length > 0 ? table.key : table.columns.map(({ name }) => name);
  const key: Sql = join(names.map((name) => ident('x', name)));
  return session.rows(sql`
    select (row(${key}))::text as key, ${rowHash(table, 'x')}::text as hash
      from ${tableOf(side, table.name)} x limit ${raw(String(COMPARED_BELOW))}`);
}

function rowsMissing(from: Side, to: Side, { name }: TenantTable, missing: readonly string[]) {
  const { tenant, placement } = from.home;
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : '';
  const rows = `${missing.slice(0, NAMED).join(', ')}${more}`;
  const { schema, database } = to.home.placement;
  return refusedError(
    'SHARED_ROWS_MISSING',
    `Table ${name} is not moved, and rows of it that stand in the home which tenant ${tenant.id} is about to leave are missing in the other one: ${rows}.`,
    {
      hint: `The tenant stays where it is. Write these rows to ${schema}.${name} in database ${database} (or delete them from ${placement.schema}.${name} in ${placement.database}), then run the same command again.`,
      facts: { tenant: tenant.id, table: name, missing: missing.slice(0, NAMED) },
    },
  );
}
