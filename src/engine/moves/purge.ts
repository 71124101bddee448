import { pause } from '../../core/pause.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, raw, sql } from '../../pg/sql.js';
import { type Side, tableOf } from '../rows/side.js';
import { type TenantTable, ownRows } from '../rows/tables.js';
import { readForeignKeys } from '../rows/foreign-keys.js';
import { childrenFirst } from '../rows/reference-order.js';
import { violatesIntegrity, wholeCircle } from '../rows/whole-circle.js';
import { whileShut } from './while-shut.js';

/** Rows that one statement deletes, and the rest after it, so that other tenants of the pool do not wait. */
const BATCH = 5_000;
const REST_MS = 20;

/**
 * Deletes the rows of one tenant from a pool, those that refer to others first, in small transactions.
 * @param breathe throws when the work is to end; what was deleted stays deleted
 * @returns the rows deleted by table
 */
export async function purgeRows(
  session: Connection,
  side: Side,
  tables: readonly TenantTable[],
  breathe: () => void,
): Promise<Record<string, number>> {
  const deleted: Record<string, number> = {};
  const foreignKeys = await readForeignKeys(session, side);
  const allOf = (table: TenantTable): Sql =>
    sql`delete from ${tableOf(side, table.name)} x where ${ownRows(side, table, 'x')}`;
  for (const table of childrenFirst(tables, foreignKeys)) {
    deleted[table.name] = 0;
    for (let rows = BATCH; rows > 0;) {
      breathe();
      rows = await deleteBatch(session, side, table).catch((error: unknown) => {
        if (!violatesIntegrity(error)) throw error;
        return whileShut(session, side, wholeCircle(table, tables, foreignKeys, allOf));
      });
      deleted[table.name] = (deleted[table.name] ?? 0) + rows;
      if (rows > 0) await pause(REST_MS);
    }
  }
  return deleted;
}

/** A row's place is unique within its partition only. */
async function deleteBatch(session: Connection, side: Side, table: TenantTable): Promise<number> {
  const places =
    table.leaves.length === 0 ? [tableOf(side, table.name)] : table.leaves.map((leaf) => raw(leaf));
  let rows = 0;
  for (const place of places) rows += await whileShut(session, side, batchOf(place, side, table));
  return rows;
}

function batchOf(place: Sql, side: Side, table: TenantTable): Sql {
  return sql`delete from ${place} where ctid = any (array(
    select ctid from ${place} x where ${ownRows(side, table, 'x')} limit ${raw(String(BATCH))}))`;
}
