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

/** Reads all of every schema. */
export async function readLikenesses(
  connection: Connection,
  schemas: readonly string[],
): Promise<Map<string, string>> {
  if (schemas.length === 0) return new Map();
  const rows = await connection.rows<{ schema: string; likeness: string }>(
    sql`with ${targetTable(schemas)}, ${likenessTables(connection.version)}
      select t.schema, coalesce(h.hash, '') as likeness from target t left join hashed h using (nsp) order by t.schema`,
  );
  return new Map(rows.map(({ schema, likeness }) => [schema, likeness]));
}
