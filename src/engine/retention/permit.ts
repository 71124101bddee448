import { conflictError } from '../../core/errors.js';
import { sqlstateOf } from '../../pg/errors.js';
import { type Sql, sql } from '../../pg/sql.js';
import type { Home } from '../local/placements.js';

/** The statement that every transaction which deletes for good begins with; it raises unless the home may be emptied. */
export function permitPurge({ tenant, placement }: Home, dueAt: string): Sql {
  return sql`select tenantctl.permit_purge(${tenant.id}, ${placement.schema}, ${dueAt}::timestamptz)`;
}

const REFUSALS: Record<string, { code: string; hint: string }> = {
  TC022: {
    code: 'TENANT_ON_HOLD',
    hint: '`tenantctl retention list` names the hold; `tenantctl retention release` ends it.',
  },
  TC023: {
    code: 'NOT_DUE',
    hint: 'Compare the clocks of catalog and cluster (`tenantctl doctor`); it is deleted when both say so.',
  },
  TC025: {
    code: 'HOME_OPEN',
    hint: 'A tenant is served there: `tenantctl show` and `tenantctl doctor` say what the catalog believes.',
  },
};

/** The server's refusal as one of ours (conflict, exit 5); anything else as it is. */
export function asRefusal(error: unknown, tenant: string): unknown {
  const refusal = REFUSALS[sqlstateOf(error) ?? ''];
  if (refusal === undefined) return error;
  const message = error instanceof Error ? error.message : String(error);
  return conflictError(refusal.code, `Nothing more is deleted: ${message}.`, {
    hint: refusal.hint,
    facts: { tenant, sqlstate: sqlstateOf(error) },
    cause: error,
  });
}
