import type { Connection } from '../../../pg/connection.js';
import { type Sql, ident, sql } from '../../../pg/sql.js';

/** A table of a pool that says whose its rows are. */
export interface PoolTable {
  schema: string;
  name: string;
  owner: string;
  /** Is it large, and has it an index that gives one key after the other? */
  stepwise: boolean;
}

/** Below this many rows reading them all is quicker than looking each key up. */
const LARGE = 50_000;
/** Types of PostgreSQL itself; the operators of others need not be on the search path. */
const FIRST_OTHER_TYPE = 16_384;

/** The tables of a schema that carry the tenant column; partitions are read through their parent. */
export async function poolTables(session: Connection, schema: string, column: string): Promise<PoolTable[]> {
  return session.rows<PoolTable>(sql`
    select n.nspname::text as schema, c.relname::text as name, pg_get_userbyid(c.relowner)::text as owner,
           c.reltuples not between 0 and ${LARGE} and a.atttypid < ${FIRST_OTHER_TYPE} and exists (
             select from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
              where i.indrelid = c.oid and m.amname = 'btree' and i.indisvalid and i.indpred is null
                and i.indkey[0] = a.attnum) as stepwise
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attname = ${column} and not a.attisdropped
     where n.nspname = ${schema} and c.relkind in ('r', 'p') and not c.relispartition order by c.relname`);
}

/** The statement that gives each key of a table once, as text. */
export function distinctKeys({ schema, name, stepwise }: PoolTable, column: string): Sql {
  const [table, key] = [ident(schema, name), ident(column)];
  if (!stepwise) return sql`select distinct ${key}::text as key from ${table} where ${key} is not null`;
  // The next key is looked up in the index, so that a billion rows of a hundred tenants are a hundred steps.
  return sql`
    with recursive step (key) as (
      (select ${key} from ${table} where ${key} is not null order by ${key} limit 1)
      union all
      select (select t.${key} from ${table} t where t.${key} > step.key order by t.${key} limit 1)
        from step where step.key is not null)
    select key::text from step where key is not null`;
}
