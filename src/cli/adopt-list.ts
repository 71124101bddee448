import { LIST_COLUMNS } from '../operations/adopt/list/columns.js';
import type { AdoptRequest } from '../operations/adopt/request.js';

/** A tenant in the columns of the list. */
export interface ListedUnit extends Omit<AdoptRequest, 'key'> {
  tenantKey: string | null;
}

/** Every list has these; the others stand only where somebody needs them. */
const ALWAYS = new Set(['id', 'tier', 'cluster', 'database', 'schema', 'tenantKey', 'plan']);

/** The same tenant as `adopt --from` reads it, one object a line. */
export function listedUnit({
  id,
  tier,
  cluster,
  database,
  schema,
  key,
  plan,
  ...more
}: AdoptRequest): ListedUnit {
  return { id, tier, cluster, database, schema, tenantKey: key, plan, ...more };
}

/** Tenants as the CSV that `adopt --from` takes in. */
export function listCsv(units: readonly ListedUnit[]): string {
  const rows = units.map(cellsOf);
  const used = new Set(rows.flatMap((cells) => [...cells.keys()]));
  const labels = [...used].filter((column) => column.startsWith('label.')).toSorted();
  const columns = [...LIST_COLUMNS.filter((column) => ALWAYS.has(column) || used.has(column)), ...labels];
  const lines = [columns, ...rows.map((cells) => columns.map((column) => cells.get(column) ?? ''))];
  return lines.map((cells) => `${cells.map(cell).join(',')}\n`).join('');
}

function cellsOf({ labels, ...columns }: ListedUnit): Map<string, string> {
  const labelled = Object.entries(labels).map(([name, text]) => [`label.${name}`, text] as const);
  return new Map(
    [...Object.entries(columns), ...labelled].filter((pair): pair is [string, string] => pair[1] !== null),
  );
}

/** Quoted where a reader would take it for something else. */
function cell(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
