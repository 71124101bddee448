import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { isColumn, type RawRow } from './columns.js';

/** Rows of an NDJSON text: one object a line, labels as an object or as `label.<name>`. */
export async function* readNdjson(text: Readable, known: readonly string[]): AsyncGenerator<RawRow> {
  let line = 0;
  for await (const content of createInterface({ input: text, crlfDelay: Infinity })) {
    line += 1;
    const json = content.replace(/^\uFEFF/, '').trim();
    if (json !== '') yield toRow(json, line, known);
  }
}

function toRow(json: string, line: number, known: readonly string[]): RawRow {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { line, problem: 'it is not a JSON object' };
    return toCells(flatten(value), line, known);
  } catch (error) {
    return { line, problem: `it is not JSON: ${(error as Error).message}` };
  }
}

/** `labels: { ring: 'canary' }` becomes `label.ring`. */
function flatten(value: object): [string, unknown][] {
  return Object.entries(value).flatMap(([name, item]: [string, unknown]) => {
    if (name !== 'labels' || typeof item !== 'object' || item === null)
      return [[name, item] as [string, unknown]];
    return Object.entries(item).map(([label, text]): [string, unknown] => [`label.${label}`, text]);
  });
}

function toCells(entries: [string, unknown][], line: number, known: readonly string[]): RawRow {
  const cells = new Map<string, string>();
  for (const [name, value] of entries) {
    if (!isColumn(known, name)) return { line, problem: `it has the unknown key ${JSON.stringify(name)}` };
    if (typeof value === 'object' && value !== null) return { line, problem: `${name} is not a text` };
    cells.set(name, value === null ? '' : String(value));
  }
  return { line, cells };
}
