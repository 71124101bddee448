import { partialError } from '../../core/errors.js';
import { redact } from '../../core/redact.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { type Sql, ident, sql } from '../../pg/sql.js';
import { newestOf, readLedger } from '../ledger/entries.js';
import { CLAIM, migrationFailure } from '../ledger/fault.js';
import { blockingLimits, usualLimits } from '../ledger/limits.js';
import { inLockQueue } from '../ledger/lock-queue.js';
import { Message } from '../ledger/message.js';
import { type MigrationAttempt, type MigrationTarget, claim, migrationSettings } from '../ledger/target.js';
import type { PoolTable } from './tables.js';

/** Stands for NOT NULL while the rows are read, which blocks nobody; SET NOT NULL then need not read them. */
const READ_BEFORE = 'tenantctl_not_null';

/**
 * Enforces one table of a pool: under the unit's lock, as a migration would be, and with short waits for the table's.
 * @throws partial error `POOL_NOT_SETTLED` (exit 7): rows without a tenant, or a lock that was not granted
 * @throws conflict `UNIT_BUSY` or `UNIT_MOVING` (exit 5)
 */
export async function enforceTable(
  connection: Connection,
  target: MigrationTarget,
  table: PoolTable,
): Promise<void> {
  const { column, setting, appRole } = target.tenancy;
  if (!table.required) await readNotNull(connection, target, table);
  await inOneStep(connection, target, table, [
    sql`select tenantctl.enforce_table(${table.oid}::oid, ${column}, ${setting}, ${appRole})`,
    ...asOwner(
      table,
      sql`alter table ${nameOf(target, table)} drop constraint if exists ${ident(READ_BEFORE)}`,
    ),
  ]);
}

/** Takes our row-level security off one table: every tenant then reaches the rows of all others. @throws as `enforceTable` */
export async function openTable(
  connection: Connection,
  target: MigrationTarget,
  table: PoolTable,
): Promise<void> {
  const { column, appRole } = target.tenancy;
  await inOneStep(connection, target, table, [
    sql`select tenantctl.open_table(${table.oid}::oid, ${column}, ${appRole})`,
  ]);
}

/** Proves that every row has a tenant, while the table is read and written. */
async function readNotNull(connection: Connection, target: MigrationTarget, table: PoolTable): Promise<void> {
  const [name, check] = [nameOf(target, table), ident(READ_BEFORE)];
  const condition = sql`${ident(target.tenancy.column)} is not null`;
  const away = asOwner(table, sql`alter table ${name} drop constraint if exists ${check}`);
  await inOneStep(connection, target, table, [
    ...away,
    ...asOwner(table, sql`alter table ${name} add constraint ${check} check (${condition}) not valid`),
  ]);
  try {
    const validate = asOwner(table, sql`alter table ${name} validate constraint ${check}`);
    await inOneStep(connection, target, table, validate, false);
  } catch (error) {
    if (connection.usable) await inOneStep(connection, target, table, away);
    throw error;
  }
}

/** What only an owner may do is done as it; the administrator need not inherit its rights. */
function asOwner({ owner }: PoolTable, statement: Sql): Sql[] {
  return [
    sql`select set_config('role', ${owner}, true)`,
    statement,
    sql`select set_config('role', 'none', true)`,
  ];
}

/** @param blocks do the statements hold up readers or writers, so that they may take a moment only? */
async function inOneStep(
  connection: Connection,
  target: MigrationTarget,
  table: PoolTable,
  statements: readonly Sql[],
  blocks = true,
): Promise<void> {
  await inLockQueue(connection, target, new Set([CLAIM.moved]), async (attempt: MigrationAttempt) => {
    const newest = newestOf(await readLedger(connection, target.unit));
    const limits = blocks ? blockingLimits(attempt, attempt.queueMs) : usualLimits(attempt);
    try {
      await connection.atomically([
        sql`select ${claim(target, newest?.id ?? null, [], 'applied')}, ${migrationSettings(target, limits)}`,
        ...statements,
      ]);
    } catch (error) {
      throw failureOf(target, table, error);
    }
  });
}

const NULL_VALUE = new Set(['23514', '23502']);

function failureOf(target: MigrationTarget, { name }: PoolTable, error: unknown): unknown {
  if (!isDatabaseError(error)) return error;
  if (error.code === CLAIM.busy || error.code === CLAIM.moving)
    return migrationFailure(target, new Message(), error);
  const { unit, tenancy } = target;
  const empty = NULL_VALUE.has(error.code ?? '');
  const said = empty ? `rows of it hold no ${tenancy.column}` : `${error.message} (SQLSTATE ${error.code})`;
  return partialError('POOL_NOT_SETTLED', redact(`${unit.id}: table ${name}: ${said}`), {
    hint: empty
      ? 'Give each of these rows its tenant, and run the same command again; `tenantctl check isolation` counts them.'
      : 'The table is as it was. See to it, and run the same command again.',
    facts: {
      unit: unit.id,
      table: name,
      sqlstate: error.code,
      locks: [{ relation: name, lock: 'ACCESS EXCLUSIVE' }],
    },
    cause: error,
  });
}

function nameOf({ unit }: MigrationTarget, { name }: PoolTable): Sql {
  return ident(unit.schema, name);
}
