import { conflictError, isTenantctlError, refusedError } from '../../core/errors.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { type DatabaseError, isDatabaseError } from '../../pg/errors.js';
import { mayBecome } from '../../pg/roles.js';
import { ident, sql } from '../../pg/sql.js';
import type { MigrationTarget } from './target.js';

/**
 * What came of a migration of a unit that another tool had made: a failure that says so where the administrator may not act as
 * the role that owns its tables, or where the other ledger that is to be kept true is gone; any other one as it is. Asks the
 * server, whose messages may be in any language: call it when the connection is ready for a statement.
 */
export async function adoptedFault(
  connection: Connection,
  { unit }: Pick<MigrationTarget, 'unit'>,
  error: unknown,
): Promise<unknown> {
  const said = isTenantctlError(error) ? error.cause : error;
  if (!unit.adopted || !connection.usable || !isDatabaseError(said)) return error;
  const gone = await ledgerFault(connection, unit, said);
  return gone ?? ownerFault(connection, unit, error, said);
}

/** There is no such table, or no such schema. */
const NOT_THERE: ReadonlySet<string> = new Set(['42P01', '3F000']);

async function ledgerFault(connection: Connection, { id, adopted }: MigrationUnit, said: DatabaseError) {
  const ledger = adopted?.dualWrite === true ? adopted.ledger : null;
  if (ledger === null || !NOT_THERE.has(said.code)) return undefined;
  const { tool, schema, table } = ledger;
  const there = await connection.row(sql`
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = ${schema} and c.relname = ${table}`);
  if (there !== undefined) return undefined;
  return conflictError(
    'TOOL_LEDGER_GONE',
    `${id}: the ledger of ${tool} is to be kept true, and ${schema}.${table} is not there any more.`,
    {
      hint: 'Nothing of this migration was kept. Bring the table back; or, where the change-over is done, adopt the unit again without --dual-write.',
      facts: { unit: id, tool, schema, table, sqlstate: said.code },
      cause: said,
    },
  );
}

/** Rights are lacking; there is no such role. */
const NOT_ALLOWED: ReadonlySet<string> = new Set(['42501', '22023']);

async function ownerFault(
  connection: Connection,
  unit: MigrationUnit,
  error: unknown,
  said: DatabaseError,
): Promise<unknown> {
  const owner = unit.adopted?.owner ?? null;
  if (owner === null || !NOT_ALLOWED.has(said.code)) return error;
  const answer = await mayBecome(connection, owner).catch(() => 'yes' as const);
  return answer === 'yes' ? error : notAssumable(connection, unit, owner, answer, said);
}

function notAssumable(
  { user }: Connection,
  unit: MigrationUnit,
  owner: string,
  answer: 'no' | 'gone',
  cause: DatabaseError,
) {
  return refusedError(
    'OWNER_NOT_ASSUMABLE',
    answer === 'gone'
      ? `The tables of ${unit.id} belong to role ${owner}, which is not there any more.`
      : `The tables of ${unit.id} belong to role ${owner}, and ${user} is no member of it: nothing can be changed as that role.`,
    {
      hint:
        answer === 'gone'
          ? 'See who owns them now, and adopt the unit again with `tenantctl adopt`. Nothing of this migration was kept.'
          : `Whoever may do so runs: GRANT ${ident(owner).text()} TO ${ident(user).text()}; Nothing of this migration was kept.`,
      facts: { unit: unit.id, owner, administrator: user, sqlstate: cause.code },
      cause,
    },
  );
}
