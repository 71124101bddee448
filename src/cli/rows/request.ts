import { isTenantctlError } from '../../core/errors.js';
import { parseTenantId } from '../../core/tenant.js';
import { isTier, TIERS } from '../../core/tier.js';
import type { ProvisionRequest } from '../../operations/provision.js';
import type { ProvisionRow } from '../../operations/provision-many.js';

/** The texts of a row by the name of their column; labels as `label.<name>`. */
export type Cells = ReadonlyMap<string, string>;

/** A row before its values are looked at. */
export type RawRow = { line: number; cells: Cells } | { line: number; problem: string };

export const COLUMNS = ['id', 'plan', 'tier', 'cluster', 'pool', 'tenantKey', 'owner'] as const;
const LABEL_COLUMN = /^label\.(.+)$/;

/** Whether a row may have this column. */
export function isColumn(name: string): boolean {
  return (COLUMNS as readonly string[]).includes(name) || LABEL_COLUMN.test(name);
}

/** A row as a request; an empty cell counts as absent, and what was said for all rows stands in. */
export function toRequest(
  { line, cells }: { line: number; cells: Cells },
  defaults: Omit<ProvisionRequest, 'id'>,
): ProvisionRow {
  const filled = new Map([...cells].filter(([, text]) => text !== ''));
  const id = filled.get('id');
  const problem = problemOf(filled);
  if (problem !== undefined || id === undefined)
    return { line, problem: problem ?? 'it has no id', ...(id === undefined ? {} : { id }) };
  const labels = { ...defaults.labels, ...labelsOf(filled) };
  return {
    line,
    request: {
      ...defaults,
      ...valuesOf(filled),
      id,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
    },
  };
}

function problemOf(cells: Cells): string | undefined {
  const tier = cells.get('tier');
  if (tier !== undefined && !isTier(tier))
    return `tier ${JSON.stringify(tier)} is not one of ${TIERS.join(', ')}`;
  try {
    parseTenantId(cells.get('id') ?? '');
    return undefined;
  } catch (error) {
    if (!isTenantctlError(error)) throw error;
    return error.message;
  }
}

/** The columns of a request but for id and labels; `tenantKey` is called `key` there. */
function valuesOf(cells: Cells): Omit<ProvisionRequest, 'id'> {
  const pairs = COLUMNS.filter((column) => column !== 'id' && cells.has(column)).map((column) => [
    column === 'tenantKey' ? 'key' : column,
    cells.get(column),
  ]);
  return Object.fromEntries(pairs) as Omit<ProvisionRequest, 'id'>;
}

function labelsOf(cells: Cells): Record<string, string> {
  const pairs = [...cells].flatMap(([column, text]) => {
    const name = LABEL_COLUMN.exec(column)?.[1];
    return name === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(pairs);
}
