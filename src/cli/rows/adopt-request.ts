import { isTenantctlError } from '../../core/errors.js';
import type { FleetSettings } from '../../core/settings.js';
import { parseTenantId } from '../../core/tenant.js';
import { LIST_COLUMNS } from '../../operations/adopt/list/columns.js';
import { Repeats } from '../../operations/adopt/list/repeats.js';
import { RowProblem } from '../../operations/adopt/list/row-problem.js';
import { listedTenant } from '../../operations/adopt/list/tenant.js';
import type { AdoptRow } from '../../operations/adopt/request.js';
import type { Io } from '../io.js';
import { type Cells, filledCells, labelsOf } from './columns.js';
import { readRows } from './read.js';

/**
 * The tenants of a list for `adopt`, each checked against the configuration. A row that is wrong, or that repeats an earlier
 * one, is a problem with its line, and the next one is read.
 * @throws usage error `ROWS_UNREADABLE` or `ROWS_HEADER` (exit 2) when no row can be read at all
 */
export async function* readAdoptRows(
  from: string,
  io: Io,
  settings: FleetSettings,
): AsyncGenerator<AdoptRow> {
  const repeats = new Repeats();
  for await (const row of readRows(from, io, LIST_COLUMNS)) {
    yield 'problem' in row ? row : repeats.refuse(toAdoptRow(row.line, filledCells(row.cells), settings));
  }
}

function toAdoptRow(line: number, cells: Cells, settings: FleetSettings): AdoptRow {
  const id = cells.get('id');
  if (id === undefined) return { line, problem: 'it has no id' };
  try {
    parseTenantId(id);
    return { line, request: { id, ...listedTenant(cells, settings), labels: labelsOf(cells) } };
  } catch (error) {
    if (!(error instanceof RowProblem) && !isTenantctlError(error)) throw error;
    return { line, id, problem: error.message.replace(/\.$/, '') };
  }
}
