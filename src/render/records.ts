import { oneLine } from './line.js';
import { properties, table } from './table.js';

/** A value for people: no quotes, no `null`, nothing that could steer a terminal. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(valueText).join(', ');
  if (typeof value === 'object') return pairsText(value as Record<string, unknown>);
  return oneLine(String(value));
}

function pairsText(record: Record<string, unknown>): string {
  const pairs = Object.entries(record).map(([name, value]) => `${name}=${valueText(value)}`);
  return pairs.length === 0 ? '-' : pairs.join(' ');
}

/** Records as a table; its columns are the keys of the first one. */
export function recordsTable(records: readonly object[]): string {
  const [first] = records;
  if (first === undefined) return '';
  const keys = Object.keys(first);
  return table(
    keys.map(heading),
    records.map((record) => keys.map((key) => valueText((record as Record<string, unknown>)[key]))),
  );
}

/** One record, a property a line. */
export function recordText(record: object): string {
  return properties(Object.entries(record).map(([name, value]) => [heading(name), valueText(value)]));
}

/** A titled part of a longer text; nothing where there are no records. */
export function recordsSection(title: string, records: readonly object[]): string {
  return records.length === 0 ? '' : `${title}\n${recordsTable(records)}`;
}

/** Parts with an empty line between them. */
export function sections(...parts: string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

/** `createdAt` → `created at` */
function heading(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
