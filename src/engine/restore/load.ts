import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { EXIT, TenantctlError } from '../../core/errors.js';
import type { ExportManifest, ExportedTable } from '../../core/export-manifest.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, join, raw, sql } from '../../pg/sql.js';
import type { TableColumn, TenantTable } from '../rows/tables.js';

/** The files of an export. */
export interface ExportFiles extends Pick<ExportManifest, 'data'> {
  directory: string;
}

const LINES = ident('pg_temp', 'tenantctl_lines');
/** No character of JSON text: each line is one value, whatever quotes and commas it has. */
const WHOLE_LINES = raw(String.raw`(format csv, quote E'\x01', delimiter E'\x02')`);

/** Has the file a value for every column that a table stores? */
export function carriesAll(carried: TenantTable, target: TenantTable): boolean {
  return carried.columns.length === target.columns.filter(({ generated }) => !generated).length;
}

/**
 * Copies the rows of one file into a table that has its columns; others of that table take their defaults.
 * @param onBytes told how many bytes of the file have passed since it was last told
 */
export async function loadFile(
  session: Connection,
  files: ExportFiles,
  exported: ExportedTable,
  carried: TenantTable,
  into: Sql,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const columns = join(carried.columns.map(({ name }) => ident(name)));
  if (files.data.format === 'csv') {
    const copy = sql`copy ${into} (${columns}) from stdin (format csv, header match)`;
    return copyFile(session, files, exported, copy, onBytes);
  }
  const documents = await documentsOf(session, into);
  await session.message(
    `create temp table if not exists tenantctl_lines (line json); truncate ${LINES.text()}`,
  );
  await copyFile(session, files, exported, sql`copy ${LINES} from stdin ${WHOLE_LINES}`, onBytes);
  await session.execute(sql`
    insert into ${into} (${columns}) overriding system value
    select ${join(carried.columns.map((column) => valueOf(column, documents)))} from ${LINES}`);
  await session.execute(sql`truncate ${LINES}`);
}

async function copyFile(
  session: Connection,
  files: ExportFiles,
  { file, sha256 }: ExportedTable,
  copy: Sql,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const hash = createHash('sha256');
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  const reading: Readable = createReadStream(path.join(files.directory, file));
  const writing = session.copyIn(copy.text());
  try {
    if (files.data.compression === 'gzip') await pipeline(reading, counted, createGunzip(), writing);
    else await pipeline(reading, counted, writing);
  } catch (error) {
    throw session.translate(error);
  }
  if (hash.digest('hex') !== sha256) throw changed(files, file);
}

/** Somebody else may write to the folder: what comes in is what was verified, or nothing. */
function changed({ directory }: ExportFiles, file: string): TenantctlError {
  return new TenantctlError(
    'EXPORT_DAMAGED',
    EXIT.difference,
    `${file} in ${directory} was changed after the export was verified, so none of its rows was kept.`,
    {
      hint: 'Put the export where nobody else writes, take another copy of it, and run the same command again.',
      facts: { directory, file },
    },
  );
}

/** The columns of JSON documents, whatever domain they are of. */
async function documentsOf(session: Connection, table: Sql): Promise<ReadonlySet<string>> {
  const rows = await session.rows<{ name: string }>(sql`
    select a.attname::text as name from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = ${table.text()}::regclass and a.attnum > 0 and not a.attisdropped
       and t.typoutput = 'pg_catalog.jsonb_out'::regproc`);
  return new Set(rows.map(({ name }) => name));
}

/** A member of the line as a value of the column: by its text, but for documents, which are taken as they stand. */
function valueOf({ name, type }: TableColumn, documents: ReadonlySet<string>): Sql {
  const value = documents.has(name) ? sql`(line -> ${name}::text)::text` : sql`(line ->> ${name}::text)`;
  return sql`${value}::${raw(type)}`;
}
