import type { Connection } from '../../../pg/connection.js';
import { groupBy } from '../../../core/group-by.js';
import { type Sql, ident } from '../../../pg/sql.js';
import type { Side } from '../../rows/side.js';
import type { Stage } from '../stages.js';
import type { TenantTable } from '../../rows/tables.js';
import { type ForeignKey, readForeignKeys } from './foreign-keys.js';
import { groupsInOrder } from './groups.js';
import {
  type GeneratedColumn,
  type UniqueIndex,
  readColumns,
  readInexact,
  readUniques,
} from './unique-indexes.js';

/** A table of the pool, with all that decides whether a row of it can be written where it stands. */
export interface PoolTable {
  /** Its number in this move, by which the merge speaks of it. */
  index: number;
  table: TenantTable;
  staged: Sql;
  /** Keys of rows that have to go before the others are written. */
  early: Sql;
  /** Rows that did not change but have to be written again, because of a row that had to go. */
  saved: Sql;
  /** Those that speak at once and do not contain the key. */
  uniques: UniqueIndex[];
  generated: GeneratedColumn[];
  /** Columns that UPDATE may not set. */
  always: string[];
  /**
   * Columns whose change needs a new row: other rows refer to them, UPDATE may not set them, or they are of the key,
   * whose values may be equal and not the same.
   */
  fixed: string[];
}

/** Rows of `child` refer to rows of `parent`. */
export interface Edge extends Omit<ForeignKey, 'child' | 'parent'> {
  child: PoolTable;
  parent: PoolTable;
}

/** What the merge has to know of a pool, read once a move. */
export interface Pool {
  side: Side;
  tables: PoolTable[];
  edges: Edge[];
  /** Referenced tables before those that refer to them; tables that refer to each other together. */
  groups: PoolTable[][];
}

export async function readPool(session: Connection, side: Side, stages: readonly Stage[]): Promise<Pool> {
  const names = stages.map(({ target }) => target.name);
  const { schema } = side.home.placement;
  const keys = await readForeignKeys(session, schema, names);
  const uniques = groupBy(await readUniques(session, schema, names), ({ table }) => table);
  const columns = groupBy(await readColumns(session, schema, names), ({ table }) => table);
  const inexact = groupBy(await readInexact(session, schema, names), ({ table }) => table);
  const tables = stages.map(({ target, staged }, index): PoolTable => {
    const own = columns.get(target.name) ?? [];
    const always = own.filter((column) => column.always).map(({ name }) => name);
    const referenced = keys
      .filter(({ parent }) => parent === target.name)
      .flatMap((key) => key.parentColumns);
    const ofKey = (inexact.get(target.name) ?? []).filter(({ name }) => target.key.includes(name));
    const fixed = new Set([
      ...[...referenced, ...always].filter((name) => !target.key.includes(name)),
      ...ofKey.map(({ name }) => name),
    ]);
    return {
      index,
      table: target,
      staged,
      early: ident('pg_temp', `tenantctl_early_${index}`),
      saved: ident('pg_temp', `tenantctl_saved_${index}`),
      uniques: (uniques.get(target.name) ?? []).filter((unique) => !containsKey(unique, target)),
      generated: own.flatMap(({ name, expression }) => (expression === null ? [] : [{ name, expression }])),
      always,
      fixed: [...fixed],
    };
  });
  const byName = new Map(tables.map((one) => [one.table.name, one]));
  const edges = keys.flatMap((key): Edge[] => {
    const [child, parent] = [byName.get(key.child), byName.get(key.parent)];
    return child === undefined || parent === undefined ? [] : [{ ...key, child, parent }];
  });
  return { side, tables, edges, groups: inOrder(tables, edges) };
}

/** Rows of a table without a key cannot be told apart, so they are never merged. */
export function keyed(tables: readonly PoolTable[]): PoolTable[] {
  return tables.filter(({ table }) => table.key.length > 0);
}

/** Two rows with equal values there have the same key: such an index cannot be in the way. */
function containsKey({ parts, nullsEqual }: UniqueIndex, { key }: TenantTable): boolean {
  const columns = new Set(parts.map(({ column }) => column));
  return !nullsEqual && key.every((name) => columns.has(name));
}

function inOrder(tables: readonly PoolTable[], edges: readonly Edge[]): PoolTable[][] {
  const parents = groupBy(edges, ({ child }) => child);
  return groupsInOrder(
    tables.map((item) => ({ item, refersTo: (parents.get(item) ?? []).map(({ parent }) => parent) })),
  );
}
