import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ExportManifest, ExportedTable } from '../../core/export-manifest.js';
import { countRows } from './files.js';
import { POST_DATA, PRE_DATA, SEQUENCES, TAG_FILES } from './layout.js';
import type { FoundBag } from './report.js';

/**
 * Compares what the manifest says of tables and sequences with their files.
 * @param listed the sums of the payload, as their list has them
 * @returns the rows that were counted
 */
export async function compareContents(
  bag: FoundBag,
  manifest: ExportManifest,
  listed: ReadonlyMap<string, string>,
): Promise<number> {
  let rows = 0;
  for (const table of manifest.tables) rows += await compareTable(bag, manifest, table, listed);
  const known = new Set([PRE_DATA, POST_DATA, SEQUENCES, ...manifest.tables.map(({ file }) => file)]);
  for (const file of listed.keys())
    if (!known.has(file)) bag.findings.add(file, 'extra', `${TAG_FILES.manifest} does not know it`);
  for (const file of [PRE_DATA, POST_DATA, SEQUENCES])
    if (!bag.files.has(file) && !listed.has(file)) bag.findings.add(file, 'missing', 'every export has it');
  await compareSequences(bag, manifest);
  return rows;
}

async function compareTable(
  { directory, files, findings }: FoundBag,
  { data }: ExportManifest,
  { table, file, rows, bytes, sha256 }: ExportedTable,
  listed: ReadonlyMap<string, string>,
): Promise<number> {
  const found = files.get(file);
  if (found === undefined) {
    if (!listed.has(file)) findings.add(file, 'missing', `it should hold ${rows} rows of table ${table}`);
    return 0;
  }
  if (!listed.has(file) || listed.get(file) !== sha256)
    findings.add(
      file,
      'contradicts',
      `${TAG_FILES.manifest} gives it another sha256 than ${TAG_FILES.payload}`,
    );
  if (found.bytes !== bytes)
    findings.add(
      file,
      found.bytes < bytes ? 'truncated' : 'changed',
      `it has ${found.bytes} bytes; the manifest says ${bytes}`,
    );
  const counted = await countRows(directory, file, data.format);
  // Bytes that are not those of the list have been told: what they make of the rows is no news.
  if (found.sha256 !== listed.get(file)) return counted.rows;
  if (counted.torn) findings.add(file, 'truncated', 'it does not end with a whole row');
  if (counted.rows !== rows)
    findings.add(
      file,
      'changed',
      `it holds ${counted.rows} rows of table ${table}; the manifest says ${rows}`,
    );
  return counted.rows;
}

async function compareSequences({ directory, files, findings }: FoundBag, { sequences }: ExportManifest) {
  if (!files.has(SEQUENCES)) return;
  const text = await readFile(path.join(directory, SEQUENCES), 'utf8');
  if (text !== sequencesText(sequences))
    findings.add(SEQUENCES, 'contradicts', `it does not hold the sequences of ${TAG_FILES.manifest}`);
}

/** `data/sequences.json` */
export function sequencesText(sequences: ExportManifest['sequences']): string {
  return `${JSON.stringify(sequences, null, 2)}\n`;
}
