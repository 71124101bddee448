import type { DataFormat } from '../../core/export-manifest.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { PlannedTable } from './plan.js';
import { jsonObject } from './columns.js';

/** The rows of one table as they go into its file. */
export interface TableStream {
  chunks: AsyncIterable<Buffer>;
  /** How many rows there were; asked for when the stream has ended. */
  rows(): Promise<number>;
}

/** No JSON text holds these characters, so that COPY neither quotes nor divides the lines. */
const WHOLE_LINES = raw(String.raw`(format csv, quote E'\x01', delimiter E'\x02')`);

/** Reads a table; the server sends no more than the reader takes. */
export function readTable(session: Connection, table: PlannedTable, format: DataFormat): TableStream {
  const statement = format === 'csv' ? csvCopy(table) : ndjsonCopy(table);
  const stream = session.copyOut(statement.text());
  async function* chunks(): AsyncGenerator<Buffer> {
    let ended = false;
    try {
      yield* stream as AsyncIterable<Buffer>;
      ended = true;
    } catch (error) {
      throw session.translate(error);
    } finally {
      // A session whose rows nobody takes any more is of no use, and the server would wait for it.
      if (!ended) await session.close();
    }
  }
  return {
    chunks: chunks(),
    async rows() {
      // The server's answer may come after the last row: behind the next statement it has come for sure.
      await session.rows(raw('select 1'));
      return stream.rowCount;
    },
  };
}

function csvCopy({ columns, rows }: PlannedTable): Sql {
  const values = join(columns.map(({ name }) => ident('x', name)));
  return sql`copy (select ${values} from ${rows}) to stdout (format csv, header true)`;
}

function ndjsonCopy({ columns, rows }: PlannedTable): Sql {
  return sql`copy (select ${jsonObject(columns, 'x')} from ${rows}) to stdout ${WHOLE_LINES}`;
}
