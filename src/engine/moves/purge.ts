import { pause } from '../../core/pause.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, raw, sql } from '../../pg/sql.js';
import { type Side, tableOf } from './side.js';
import { type MovedTable, ownRows } from './tables.js';
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
  tables: readonly MovedTable[],
  breathe: () => void,
): Promise<Record<string, number>> {
  const deleted: Record<string, number> = {};
  for (const table of await childrenFirst(session, side, tables)) {
    deleted[table.name] = 0;
    for (let rows = BATCH; rows > 0;) {
      breathe();
      rows = await deleteBatch(session, side, table);
      deleted[table.name] = (deleted[table.name] ?? 0) + rows;
      if (rows > 0) await pause(REST_MS);
    }
  }
  return deleted;
}

/** A row's place is unique within its partition only. */
async function deleteBatch(session: Connection, side: Side, table: MovedTable): Promise<number> {
  const places =
    table.leaves.length === 0 ? [tableOf(side, table.name)] : table.leaves.map((leaf) => raw(leaf));
  let rows = 0;
  for (const place of places) rows += await whileShut(session, side, batchOf(place, side, table));
  return rows;
}

function batchOf(place: Sql, side: Side, table: MovedTable): Sql {
  return sql`delete from ${place} where ctid = any (array(
    select ctid from ${place} x where ${ownRows(side, table, 'x')} limit ${raw(String(BATCH))}))`;
}

/** Tables by how far they are from the end of the references; those in a circle come in any order. */
async function childrenFirst(
  session: Connection,
  side: Side,
  tables: readonly MovedTable[],
): Promise<MovedTable[]> {
  const edges = await session.rows<{ child: string; parent: string }>(sql`
    select distinct c.relname as child, p.relname as parent from pg_constraint k
      join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${side.home.placement.schema} and k.contype = 'f' and k.conrelid <> k.confrelid`);
  const left = new Map(tables.map((table) => [table.name, table]));
  const ordered: MovedTable[] = [];
  while (left.size > 0) {
    const referenced = new Set(
      edges.filter(({ child, parent }) => left.has(child) && child !== parent).map(({ parent }) => parent),
    );
    const free = [...left.values()].filter(({ name }) => !referenced.has(name));
    for (const table of free.length > 0 ? free : left.values()) {
      ordered.push(table);
      left.delete(table.name);
    }
  }
  return ordered;
}
