import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import { nameWith } from './statements.js';

/** A foreign key that leaves the tenant column out. */
interface LooseKey {
  name: string;
  table: Sql;
  columns: readonly string[];
  parent: Sql;
  referenced: readonly string[];
  /** What it does when the other row goes, and when it is checked. */
  ending: string;
  /** Has the other table a key of the tenant column and these? */
  keyed: boolean;
  partitioned: boolean;
  /** The other table. */
  parentPartitioned: boolean;
  tenantColumn: string;
}

/**
 * The whole change to one that holds the tenant column: the key that it refers to, the new one beside the old one, and then the
 * old one's end.
 */
export function remadeForeignKey(key: LooseKey): Sql[] {
  const { name, table, parent, ending, keyed, partitioned, parentPartitioned, tenantColumn } = key;
  const pairs = key.columns
    .map((column, n) => [column, key.referenced[n] ?? column] as const)
    .filter((pair) => !pair.includes(tenantColumn));
  const list = (side: 0 | 1) =>
    join([tenantColumn, ...pairs.map((pair) => pair[side])].map((column) => ident(column)));
  // A partitioned table takes no constraint that was not checked, before PostgreSQL 18.
  const rest = raw(`${ending}${partitioned ? '' : ' not valid'}`);
  const beside = raw(parentPartitioned ? '' : 'concurrently ');
  const old = ident(name);
  return [
    ...(keyed ? [] : [sql`create unique index ${beside}on ${parent} (${list(1)})`]),
    sql`alter table ${table} rename constraint ${old} to ${ident(nameWith(name, '_old'))}`,
    sql`alter table ${table} add constraint ${old} foreign key (${list(0)}) references ${parent} (${list(1)})${rest}`,
    sql`alter table ${table} drop constraint ${ident(nameWith(name, '_old'))}`,
  ];
}
