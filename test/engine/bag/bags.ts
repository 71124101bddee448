import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DataFormat, EXPORT_FORMAT, type ExportManifest } from '../../../src/core/export-manifest.js';
import { type SigningKey, generateSigningKey, parseSigningKey } from '../../../src/core/signature.js';
import { sequencesText } from '../../../src/engine/bag/contents.js';
import { POST_DATA, PRE_DATA, SEQUENCES, tableFile } from '../../../src/engine/bag/layout.js';
import { BagWriter } from '../../../src/engine/bag/writer.js';
import { newFolder } from '../../support/folder.js';

const CSV = 'id,note\n1,plain\n2,"a ""quoted""\nnote"\n3,\n';
const NDJSON = '{"id":1,"note":"plain"}\n{"id":2,"note":"a \\"quoted\\"\\nnote"}\n{"id":3,"note":null}\n';
const SEQUENCE = [{ name: 'customer_id_seq', value: '3' }];

export const newKey = (): SigningKey => parseSigningKey(generateSigningKey());

export async function* chunks(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

/** A small export of three rows, as the tool writes it. */
export async function smallBag(
  options: { format?: DataFormat; gzip?: boolean; key?: SigningKey; directory?: string } = {},
): Promise<string> {
  const { format = 'csv', gzip = false, key = null, directory = join(newFolder(), 'acme') } = options;
  const bag = await BagWriter.open(directory);
  const file = tableFile(1, 1, 'customer', gzip ? `${format}.gz` : format);
  const stored = await bag.stream(file, chunks(format === 'csv' ? CSV : NDJSON), gzip);
  await bag.write(PRE_DATA, 'create table customer (id int, note text);\n');
  await bag.write(POST_DATA, 'alter table customer add primary key (id);\n');
  await bag.write(SEQUENCES, sequencesText(SEQUENCE));
  await bag.seal(smallManifest(format, gzip, stored), key);
  await bag.publish();
  return directory;
}

function smallManifest(
  format: DataFormat,
  gzip: boolean,
  stored: { file: string; bytes: number; sha256: string },
): ExportManifest {
  return {
    format: EXPORT_FORMAT,
    tool: 'suite',
    createdAt: '2026-11-22T01:02:03.000Z',
    tenant: { id: 'acme', key: 'aaaaaaaa-0000-4000-8000-000000000001' },
    home: {
      tier: 'schema',
      cluster: 'main',
      database: 'app',
      schema: 'acme',
      pool: null,
      role: 'acme',
      epoch: 1,
    },
    migration: null,
    server: { version: 180_000, encoding: 'UTF8', collation: 'C' },
    snapshot: { id: '1', lsn: '0/1', at: '2026-11-22T01:02:03.000Z' },
    settings: {},
    data: { format, compression: gzip ? 'gzip' : null },
    tables: [
      {
        table: 'customer',
        kind: 'tenant',
        ...stored,
        rows: 3,
        hash: '0',
        columns: [
          { name: 'id', type: 'integer', notNull: true },
          { name: 'note', type: 'text', notNull: false },
        ],
        key: ['id'],
        references: [],
        leftOutColumns: [],
      },
    ],
    circles: [],
    leftOut: [],
    sequences: SEQUENCE,
    largeObjects: 'none',
  };
}

export const TABLE = 'data/tables/001_customer.csv';

/** The plain files of a folder. */
export function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .toSorted();
}

export const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');

/** Changes the text of one file. */
export function edit(directory: string, file: string, change: (text: string) => string): void {
  const path = join(directory, file);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

/** Whoever changes an export and knows how bags work brings all sums up to date, as far as these are not signed. */
export function forgeSums(directory: string): void {
  const table = readFileSync(join(directory, TABLE));
  edit(directory, 'manifest.json', (text) => {
    const manifest = JSON.parse(text) as ExportManifest;
    Object.assign(manifest.tables[0] as object, { bytes: table.length, sha256: sha256(table) });
    return `${JSON.stringify(manifest, null, 2)}\n`;
  });
  const list = (files: string[]) =>
    files.map((file) => `${sha256(readFileSync(join(directory, file)))}  ${file}\n`).join('');
  const files = filesOf(directory);
  const data = files.filter((file) => file.startsWith('data/'));
  const bytes = data.reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);
  edit(directory, 'bag-info.txt', (text) =>
    text.replace(/Payload-Oxum: .*/, `Payload-Oxum: ${bytes}.${data.length}`),
  );
  writeFileSync(join(directory, 'manifest-sha256.txt'), list(data));
  const tags = files.filter((file) => !file.startsWith('data/') && file !== 'tagmanifest-sha256.txt');
  writeFileSync(join(directory, 'tagmanifest-sha256.txt'), list(tags));
}
