import { conflictError } from '../../core/errors.js';
import { isPastReturn } from '../../core/move.js';
import { isDatabaseError } from '../../pg/errors.js';
import type { Drive } from './drive.js';

/** Unique values, references, checks: class 23 of the SQL standard. */
const INTEGRITY = /^23/;

/**
 * What a home that is to take rows in says against one of them, as the user should read it: another tenant has taken a value meanwhile,
 * say. Before the decision nothing is lost by it. Any other error is given back as it is.
 */
export function refusedRow(error: unknown, { id, move }: Drive): unknown {
  const back = move.undo !== null;
  if (!isDatabaseError(error) || !INTEGRITY.test(error.code) || (isPastReturn(move.state) && !back))
    return error;
  const { message, detail, table = '(unknown)', constraint } = error;
  const { tenant } = move;
  const goOn = back
    ? `\`tenantctl moves undo ${tenant}\` tries again; \`tenantctl moves complete ${tenant}\` gives the way back up`
    : `\`tenantctl moves resume ${tenant}\` tries again; \`tenantctl moves abort ${tenant}\` takes the move back`;
  return conflictError(
    'MOVE_ROW_REFUSED',
    `Table ${table} of the ${back ? 'old' : 'new'} home does not take a row of tenant ${tenant}: ${message}${detail === undefined ? '' : ` (${detail.replace(/\.$/, '')})`}.`,
    {
      hint: `The tenant stays where it is. Change or remove that row in either home; then ${goOn}.`,
      facts: { move: id, tenant, table, constraint: constraint ?? null, sqlstate: error.code },
      cause: error,
    },
  );
}
