import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { likenessTables } from './likeness-sql.js';
import { targetTable } from './own-name.js';

/** How it is found which schemas of a database are alike, and what is known of each sort. */
export interface Look {
  /** The digest of each sort that was printed, by its likeness. */
  readonly printed: Map<string, string>;
  /** The likeness of each schema that is there, within a transaction whose search path is `pg_catalog`. */
  read(connection: Connection, schemas: readonly string[]): Promise<Map<string, string>>;
  /** After that transaction: whether what was read can be relied on. */
  holds(connection: Connection): Promise<boolean>;
}

/** A look that knows nothing yet. */
export const freshLook = (): Look => ({
  printed: new Map(),
  read: readLikenesses,
  holds: () => Promise.resolve(true),
});

/** The server holds about 20 KB for each schema that it reads whole: 5,000 at once take a backend beyond 100 MB. */
const AT_ONCE = 2_500;

/** Reads all of every schema. Those that are alike but were not read at once may have two numbers, and are printed twice. */
export async function readLikenesses(
  connection: Connection,
  schemas: readonly string[],
): Promise<Map<string, string>> {
  const likenesses = new Map<string, string>();
  for (let from = 0; from < schemas.length; from += AT_ONCE) {
    const rows = await connection.rows<{ schema: string; likeness: string }>(
      sql`with ${targetTable(schemas.slice(from, from + AT_ONCE))}, ${likenessTables(connection.version)}
        select t.schema, coalesce(h.hash, '') as likeness from target t left join hashed h using (nsp) order by t.schema`,
    );
    for (const { schema, likeness } of rows) likenesses.set(schema, likeness);
  }
  return likenesses;
}
