import { isTenantctlError, refusedError } from '../../core/errors.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { type DatabaseError, isDatabaseError } from '../../pg/errors.js';
import { mayBecome } from '../../pg/roles.js';
import { type Sql, ident, raw, sql } from '../../pg/sql.js';
import type { MigrationTarget } from './target.js';

/** The statement after which the administrator is itself again. */
export const ITSELF_AGAIN = raw('reset role');

/**
 * The statement by which what follows is done, until the transaction ends, by the role that owns the unit's tables: what it
 * makes is owned, and granted by default privileges, like everything else there. Null where that is the administrator.
 */
export function becomeOwner({ unit }: Pick<MigrationTarget, 'unit'>): Sql | null {
  const owner = unit.adopted?.owner ?? null;
  return owner === null ? null : sql`set local role ${ident(owner)}`;
}

/** Runs `work`, which consists of statements that are sent alone, as the role that owns the unit's tables. */
export async function asOwner<T>(
  connection: Connection,
  { unit }: Pick<MigrationTarget, 'unit'>,
  work: () => Promise<T>,
): Promise<T> {
  const owner = unit.adopted?.owner ?? null;
  if (owner === null) return work();
  await connection.execute(sql`set role ${ident(owner)}`);
  try {
    return await work();
  } finally {
    if (connection.usable) await connection.execute(ITSELF_AGAIN);
  }
}

/** Rights are lacking; there is no such role. */
const SAID: ReadonlySet<string> = new Set(['42501', '22023']);

/**
 * What came of something that was to be done as the owner of a unit: a failure that says so where the administrator may not
 * act as that role, any other one as it is. Asks the server, whose messages may be in any language; call it when the
 * connection is ready for a statement.
 */
export async function ownerFault(
  connection: Connection,
  { unit }: Pick<MigrationTarget, 'unit'>,
  error: unknown,
): Promise<unknown> {
  const owner = unit.adopted?.owner ?? null;
  const said = isTenantctlError(error) ? error.cause : error;
  if (owner === null || !connection.usable || !isDatabaseError(said) || !SAID.has(said.code)) return error;
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
