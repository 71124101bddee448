import { decodePath, encodePath } from './layout.js';

/** A file of a bag: how long it is, and its sha256 in hexadecimal digits. */
export interface StoredFile {
  file: string;
  bytes: number;
  sha256: string;
}

/** The lines of a manifest, in order of path. */
export function manifestText(files: readonly StoredFile[]): string {
  const lines = files.map(({ file, sha256 }) => `${sha256}  ${encodePath(file)}\n`);
  return lines.toSorted((one, other) => (one.slice(66) < other.slice(66) ? -1 : 1)).join('');
}

const LINE = /^([0-9a-fA-F]{64})[ \t]+\*?(.+)$/;

/** Paths and sums of a manifest, and the lines that are none. */
export function parseManifest(text: string): { sums: [file: string, sha256: string][]; bad: string[] } {
  const sums: [string, string][] = [];
  const bad: string[] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line === '') continue;
    const [, sum, file] = LINE.exec(line) ?? [];
    if (sum === undefined || file === undefined) bad.push(line);
    else sums.push([decodePath(file), sum.toLowerCase()]);
  }
  return { sums, bad };
}

/** `Label: value` lines. */
export function infoText(entries: readonly (readonly [label: string, value: string])[]): string {
  return entries.map(([label, value]) => `${label}: ${value}\n`).join('');
}

/** The values of `Label: value` lines; a value may go on in the next line, which begins with white space then. */
export function parseInfo(text: string): Map<string, string> {
  const info = new Map<string, string>();
  for (const line of text.replace(/\r?\n[ \t]+/g, ' ').split(/\r\n|\r|\n/)) {
    const [, label, value] = /^([^:]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (label !== undefined && value !== undefined) info.set(label.trim(), value.trim());
  }
  return info;
}

/** Bytes and number of files, as bags say it. */
export function oxumOf(files: readonly Pick<StoredFile, 'bytes'>[]): string {
  return `${files.reduce((sum, { bytes }) => sum + bytes, 0)}.${files.length}`;
}
