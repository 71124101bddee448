import { EXIT, TenantctlError, conflictError, isTenantctlError, refusedError } from '../../core/errors.js';
import type { Side } from '../../engine/rows/side.js';
import { type DatabaseError, isDatabaseError } from '../../pg/errors.js';
import { taken } from './taken-values.js';

/** What a server says when rows cannot come in, as the user should read it; any other error as it is. */
export function explained(side: Side, error: unknown): unknown {
  if (isTenantctlError(error) && error.code === 'MOVE_SIDE_EFFECT') return sideEffect(side, error);
  if (!isDatabaseError(error)) return error;
  const { code, table = 'unknown', constraint = 'unknown' }: DatabaseError = error;
  if (!side.shared && code.startsWith('23')) return breaks(side, table, constraint, error);
  switch (code) {
    case '23505':
    case '23P01':
      return taken(side, table, constraint, '', error);
    case '23503':
      return refersToNothing(side, table, constraint, error);
    case '42501':
      return refusedByPolicy(side, error);
    case '55P03':
      return locked(side, error);
    default:
      return error;
  }
}

function refersToNothing({ home }: Side, table: string, constraint: string, cause: unknown) {
  const { pool, database, schema } = home.placement;
  return refusedError(
    'RESTORE_ROW_MISSING',
    `Rows of table ${schema}.${table} refer by ${constraint} to rows that pool ${pool} does not have.`,
    {
      hint: 'None of its rows was kept. Where a shared table has a row for each tenant, add that of the new one: --tenant-key names its key beforehand.',
      facts: { tenant: home.tenant.id, pool, database, table, constraint },
      cause,
    },
  );
}

function breaks({ home }: Side, table: string, constraint: string, cause: unknown) {
  const { schema, database } = home.placement;
  return refusedError(
    'RESTORE_ROW_REFUSED',
    `A row of table ${schema}.${table} breaks ${constraint} in database ${database}.`,
    {
      hint: 'No row of the export was kept. Were the migration files changed since the export was made?',
      facts: { tenant: home.tenant.id, database, table, constraint },
      cause,
    },
  );
}

function refusedByPolicy({ home }: Side, cause: DatabaseError) {
  const { database, schema } = home.placement;
  return refusedError(
    'RESTORE_ROW_REFUSED',
    `Schema ${schema} of database ${database} does not take a row of the export: ${cause.message}.`,
    {
      hint: "No row of the export was kept. A policy that the administrator has to get past ends with: or current_setting('tenantctl.scope', true) = 'fleet'.",
      facts: { tenant: home.tenant.id, database, schema },
      cause,
    },
  );
}

function locked({ home }: Side, cause: unknown) {
  const { schema, database } = home.placement;
  return conflictError(
    'TABLE_LOCKED',
    `A table of schema ${schema} of database ${database} was held by somebody else for ten seconds, so no row of tenant ${home.tenant.id} was restored.`,
    {
      hint: 'A backup or another long transaction may be at work there: wait for it or end it, and run the same command again.',
      facts: { tenant: home.tenant.id, database, schema },
      cause,
    },
  );
}

/** The receivers of rows speak of moves. */
function sideEffect({ home }: Side, { message, facts }: TenantctlError) {
  const what = `Bringing in the rows of tenant ${home.tenant.id} had a side effect. ${message}`;
  return new TenantctlError('RESTORE_SIDE_EFFECT', EXIT.difference, what, {
    hint: 'No row was changed. Look for a trigger or rule that came meanwhile, drop it or let it skip sessions with tenantctl.moving set; for a foreign key ON DELETE by which rows of others would go as well, see to those rows first. Then run the same command again.',
    facts: { tenant: home.tenant.id, ...facts },
  });
}
