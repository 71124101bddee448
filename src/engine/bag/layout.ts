import path from 'node:path';

/** The files of a bag (RFC 8493) that are not its payload. */
export const TAG_FILES = {
  declaration: 'bagit.txt',
  info: 'bag-info.txt',
  payload: 'manifest-sha256.txt',
  tags: 'tagmanifest-sha256.txt',
  manifest: 'manifest.json',
  signature: 'manifest.json.sig',
  publicKey: 'signing-key.pub',
} as const;

export const DECLARATION = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n';

/** What stands under `data/` beside the files of the tables. */
export const PRE_DATA = 'data/schema/pre-data.sql';
export const POST_DATA = 'data/schema/post-data.sql';
export const SEQUENCES = 'data/sequences.json';

/** The software agent that a bag names, by which a folder is known as one of ours. */
export const AGENT = 'tenantctl';

/** Where an export is written before it has its name. */
export function partialOf(directory: string): string {
  return `${directory}.partial`;
}

/**
 * The file of the n-th of so many tables. Only plain letters are taken from the name, for file systems differ in the
 * others and in their case; the number tells any two apart, and the manifest has the name as it is.
 */
export function tableFile(n: number, tables: number, name: string, extension: string): string {
  const digits = Math.max(3, String(tables).length);
  const plain = name.replace(/[^A-Za-z0-9_-]/g, '_');
  return `data/tables/${String(n).padStart(digits, '0')}_${plain}.${extension}`;
}

/** A path as a line of a manifest has it (RFC 8493, 2.1.3). */
export function encodePath(file: string): string {
  return file.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

export function decodePath(text: string): string {
  return text.replace(/%0D/gi, '\r').replace(/%0A/gi, '\n').replaceAll('%25', '%');
}

/** Does a path lead out of the folder, or is it not written in its only form? */
export function leavesFolder(file: string): boolean {
  if (file === '' || file.includes('\\') || file.includes('\0') || path.posix.isAbsolute(file)) return true;
  return file.split('/').some((part) => part === '' || part === '.' || part === '..');
}
