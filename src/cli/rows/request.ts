import { isTenantctlError } from '../../core/errors.js';
import { parseTenantId } from '../../core/tenant.js';
import { isTier, TIERS } from '../../core/tier.js';
import type { ProvisionRequest } from '../../operations/provision.js';
import type { ProvisionRow } from '../../operations/provision-many.js';
import type { Io } from '../io.js';
import { type Cells, filledCells, labelsOf } from './columns.js';
import { readRows } from './read.js';

const COLUMNS = ['id', 'plan', 'tier', 'cluster', 'pool', 'tenantKey', 'owner'] as const;

/**
 * The tenants that a file wants to have provisioned; `defaults` stand in for what a row leaves out.
 * @throws usage error `ROWS_UNREADABLE` or `ROWS_HEADER` (exit 2) when no row can be read at all
 */
export async function* readTenantRows(
  from: string,
  io: Io,
  defaults: Omit<ProvisionRequest, 'id'>,
): AsyncGenerator<ProvisionRow> {
  for await (const row of readRows(from, io, COLUMNS)) {
    yield 'problem' in row ? row : toRequest(row, defaults);
  }
}

/** A row as a request; an empty cell counts as absent, and what was said for all rows stands in. */
function toRequest(
  { line, cells }: { line: number; cells: Cells },
  defaults: Omit<ProvisionRequest, 'id'>,
): ProvisionRow {
  const filled = filledCells(cells);
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
