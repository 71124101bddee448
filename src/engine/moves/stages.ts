import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, raw, script, sql } from '../../pg/sql.js';
import { type Side, tableOf } from '../rows/side.js';
import { type TenantTable, ownRows, storedColumns } from '../rows/tables.js';

/** A table of a move with its two temporary tables, which live as long as the sessions that made them. */
export interface Stage {
  source: TenantTable;
  target: TenantTable;
  /** In the source's session: the keys that were taken in this cycle. */
  touched: Sql;
  /** In the target's session: those keys with the rows they have now. */
  staged: Sql;
}

/** Says of a staged key that its row is there; the name cannot be a user's by accident. */
export const PRESENT = ident('tenantctl_present');

/** The temporary tables' names, for tables that stand in the same order on both sides. */
export function stagesOf(source: readonly TenantTable[], target: readonly TenantTable[]): Stage[] {
  const byName = new Map(target.map((table) => [table.name, table]));
  return source.map((table, index) => ({
    source: table,
    target: byName.get(table.name) as TenantTable,
    touched: ident('pg_temp', `tenantctl_touched_${index}`),
    staged: ident('pg_temp', `tenantctl_staged_${index}`),
  }));
}

/** Makes the tables of the source's session. */
export async function prepareTouched(
  session: Connection,
  side: Side,
  stages: readonly Stage[],
): Promise<void> {
  const keyed = stages.filter(({ source }) => source.key.length > 0);
  const statements = keyed.map(
    ({ source, touched }) =>
      sql`create temp table ${temporary(touched)} as select ${keyColumns(source)} from ${tableOf(side, source.name)} with no data`,
  );
  await session.message(script(statements));
}

/** Makes a staging table that lasts for the caller's transaction: within it, emptying it costs little. */
export async function prepareForPieces(
  session: Connection,
  side: Side,
  { target, staged }: Stage,
): Promise<void> {
  await session.execute(sql`create temp table ${temporary(staged)} on commit drop as
    select ${storedColumns(target)} from ${tableOf(side, target.name)} with no data`);
}

/** Makes the tables of the target's session. */
export async function prepareStaged(
  session: Connection,
  side: Side,
  stages: readonly Stage[],
): Promise<void> {
  const statements = stages.flatMap(({ target, staged }) => [
    sql`create temp table ${temporary(staged)} as
      select ${storedColumns(target)}, true as ${PRESENT} from ${tableOf(side, target.name)} with no data`,
    ...(target.key.length === 0 ? [] : [sql`create index on ${staged} (${keyColumns(target)})`]),
  ]);
  await session.message(script(statements));
}

/** Empties the tables of the target's session. */
export function emptyStaged(stages: readonly Stage[]): Sql {
  return sql`truncate ${join(stages.map(({ staged }) => staged))}`;
}

/** The query for all rows of the tenant in one table, as its source knows it. */
export function rowsOf(from: Side, { source }: Stage): Sql {
  return sql`select ${storedColumns(source)} from ${tableOf(from, source.name)} x where ${ownRows(from, source, 'x')}`;
}

/** `a, b` */
export function keyColumns({ key }: TenantTable): Sql {
  return join(key.map((name) => ident(name)));
}

/** CREATE TEMP TABLE takes no schema. */
function temporary(qualified: Sql): Sql {
  return raw(qualified.text().replace('"pg_temp".', ''));
}
