import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { type TenantctlError, conflictError, refusedError, usageError } from '../../core/errors.js';
import { EXPORT_FORMAT, type ExportManifest } from '../../core/export-manifest.js';
import { TAG_FILES, leavesFolder, partialOf } from './layout.js';
import { isUnfinished } from './partial.js';

const NAME_AN_EXPORT =
  'Name the folder that `tenantctl export` wrote: it holds bagit.txt and manifest.json. A tar is to be unpacked first.';

/**
 * Makes sure that a folder is an export, as far as a first look tells.
 * @throws usage error `EXPORT_NOT_FOUND` or `EXPORT_NOT_A_BAG` (exit 2)
 * @throws conflict `EXPORT_UNFINISHED` (exit 5)
 */
export async function assertBag(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() !== true)
    throw usageError('EXPORT_NOT_FOUND', `There is no folder ${directory}.`, {
      hint: NAME_AN_EXPORT,
      facts: { directory },
    });
  if (directory.endsWith(partialOf('')) || (await isUnfinished(directory))) throw unfinished(directory);
  const { declaration, payload, manifest } = TAG_FILES;
  const there = await Promise.all(
    [declaration, payload, manifest].map((file) =>
      stat(path.join(directory, file)).then(Boolean, () => false),
    ),
  );
  if (there.includes(true)) return;
  throw usageError('EXPORT_NOT_A_BAG', `${directory} is not an export: it has none of the files of one.`, {
    hint: NAME_AN_EXPORT,
    facts: { directory },
  });
}

/**
 * The manifest of an export. Whether the files are what it says is for `verifyBag`.
 * @throws as `assertBag`, and refusal `EXPORT_UNREADABLE` (exit 6) for a manifest of another format or none
 */
export async function readManifest(directory: string): Promise<ExportManifest> {
  await assertBag(directory);
  const text = await readFile(path.join(directory, TAG_FILES.manifest), 'utf8').catch(() => undefined);
  if (text === undefined) throw unreadable(directory, 'it is missing');
  const { manifest, problem } = parseExportManifest(text);
  if (manifest === undefined) throw unreadable(directory, problem);
  return manifest;
}

/** A manifest as it is stored, or what is wrong with it. */
export function parseExportManifest(
  text: string,
): { manifest: ExportManifest; problem?: never } | { manifest?: never; problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'it is not JSON' };
  }
  const problem = problemOf(value);
  return problem === undefined ? { manifest: value as ExportManifest } : { problem };
}

const PARTS = ['home', 'migration', 'server', 'snapshot', 'settings', 'circles', 'leftOut'];

/** What is looked at here is what the rest relies on: paths and numbers of files. */
function problemOf(value: unknown): string | undefined {
  if (!isRecord(value)) return 'it is not an object';
  if (value['format'] !== EXPORT_FORMAT)
    return `it has format ${JSON.stringify(value['format'])}, and this tenantctl reads ${EXPORT_FORMAT}`;
  const { tenant, tables, sequences, data } = value;
  if (!isRecord(tenant) || typeof tenant['id'] !== 'string' || typeof tenant['key'] !== 'string')
    return 'it names no tenant';
  const lacking = PARTS.filter((part) => typeof value[part] !== 'object');
  if (lacking.length > 0) return `it lacks ${lacking.join(', ')}`;
  if (!isRecord(data) || !['csv', 'ndjson'].includes(data['format'] as string))
    return 'it does not say how rows are written';
  if (!Array.isArray(tables) || !tables.every(isTable)) return 'it does not say which tables there are';
  return Array.isArray(sequences) ? undefined : 'it does not say which sequences there are';
}

function isTable(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { table, file, rows, bytes, sha256, hash, columns, key, references, leftOutColumns } = value;
  const lists = [columns, key, references, leftOutColumns].every((list) => Array.isArray(list));
  const texts = [table, file, sha256, hash].every((text) => typeof text === 'string');
  const numbers = [rows, bytes].every((number) => Number.isSafeInteger(number) && (number as number) >= 0);
  return texts && numbers && lists && !leavesFolder(file as string);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unfinished(directory: string): TenantctlError {
  return conflictError('EXPORT_UNFINISHED', `${directory} is an export that did not come to its end.`, {
    hint: 'Make it again with the same `tenantctl export`: it takes the place of this folder.',
    facts: { directory },
  });
}

function unreadable(directory: string, problem: string): TenantctlError {
  return refusedError('EXPORT_UNREADABLE', `${directory}/manifest.json cannot be used: ${problem}.`, {
    hint: '`tenantctl export verify` looks at the whole folder.',
    facts: { directory },
  });
}
