import { randomUUID } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { ExportManifest, ExportedTable } from '../../../src/core/export-manifest.js';
import type { LocalServer } from '../../../src/embedded/server.js';
import { rowHash } from '../../../src/engine/rows/sums.js';
import { query, withClient } from '../../support/server.js';

const PINNED = `set timezone = 'UTC'; set datestyle = 'ISO, MDY'; set intervalstyle = 'postgres'; set extra_float_digits = 1; set bytea_output = 'hex';
  create schema if not exists loaded; set search_path = loaded`;

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The manifest of an export, as any program reads it. */
export function manifestOf(directory: string): ExportManifest {
  return JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as ExportManifest;
}

/**
 * Loads an export into an empty database as somebody would who has nothing but PostgreSQL, and gives rows and hash of
 * each table then.
 */
export async function loadExport(server: LocalServer, directory: string): Promise<Loaded> {
  const database = `load_${randomUUID().replaceAll('-', '')}`;
  await query(server.superuserUrl('postgres'), `create database ${database}`);
  const url = server.superuserUrl(database);
  const manifest = manifestOf(directory);
  const sums = await withClient(url, async (client) => {
    await client.query(PINNED);
    await client.query(readFileSync(join(directory, 'data/schema/pre-data.sql'), 'utf8'));
    await client.query(PINNED);
    for (const table of manifest.tables) await loadTable(client, directory, manifest, table);
    await client.query(readFileSync(join(directory, 'data/schema/post-data.sql'), 'utf8'));
    await client.query(PINNED);
    const found: Loaded['sums'] = {};
    for (const table of manifest.tables) found[table.table] = await sumOf(client, table);
    return found;
  });
  return { url, manifest, sums };
}

export interface Loaded {
  url: string;
  manifest: ExportManifest;
  sums: Record<string, { rows: number; hash: string }>;
}

/** What the manifest says of each table. */
export function expectedSums({ tables }: ExportManifest): Loaded['sums'] {
  return Object.fromEntries(tables.map(({ table, rows, hash }) => [table, { rows, hash }]));
}

async function loadTable(
  client: pg.Client,
  directory: string,
  { data }: ExportManifest,
  { table, file, columns }: ExportedTable,
): Promise<void> {
  const names = columns.map(({ name }) => quoted(name)).join(', ');
  const source = createReadStream(join(directory, file));
  const unpacked = data.compression === 'gzip' ? source.pipe(createGunzip()) : source;
  if (data.format === 'csv') {
    await pipeline(
      unpacked,
      client.query(copyFrom(`copy ${quoted(table)} (${names}) from stdin (format csv, header true)`)),
    );
    return;
  }
  await client.query('create temp table line (j json)');
  await pipeline(
    unpacked,
    client.query(copyFrom(`copy line from stdin (format csv, quote e'\\x01', delimiter e'\\x02')`)),
  );
  const values = columns.map(({ name, type }) => {
    const member = `'${name.replaceAll("'", "''")}'`;
    return type === 'jsonb' ? `(j -> ${member})::jsonb` : `(j ->> ${member})::${type}`;
  });
  await client.query(
    `insert into ${quoted(table)} (${names}) overriding system value select ${values.join(', ')} from line; drop table line`,
  );
}

async function sumOf(
  client: pg.Client,
  { table, columns }: ExportedTable,
): Promise<{ rows: number; hash: string }> {
  const own = await client.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = '${quoted(table).replaceAll("'", "''")}'::regclass and atttypid >= 16384`,
  );
  const typed = columns.map((column) => ({
    ...column,
    generated: false,
    own: own.rows.some(({ name }) => name === column.name),
    collation: null,
  }));
  const hash = rowHash({ columns: typed }, 'x').text();
  const sum = async (from: string) => {
    const { rows } = await client.query<{ rows: number; hash: string }>(
      `select count(*)::int as rows, coalesce(sum(${hash}), 0)::text as hash from ${from}${quoted(table)} x`,
    );
    return rows[0] as { rows: number; hash: string };
  };
  const [partitioned] = (
    await client.query<{ p: boolean }>(
      `select relkind = 'p' as p from pg_class where oid = '${quoted(table).replaceAll("'", "''")}'::regclass`,
    )
  ).rows;
  return sum(partitioned?.p === true ? '' : 'only ');
}
