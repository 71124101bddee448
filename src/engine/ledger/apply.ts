import type { Connection } from '../../pg/connection.js';
import { type Sql, raw, sql } from '../../pg/sql.js';
import { adoptedFault } from './adopted-fault.js';
import { applyBatched } from './apply-batched.js';
import { applyStepwise } from './apply-stepwise.js';
import { closing } from './closing.js';
import { type DefaultsAtCreation, defaultsAtCreation } from './default-at-creation.js';
import { type LedgerEntry, newestOf, pendingOf, readLedger } from './entries.js';
import { CLAIM, migrationFailure } from './fault.js';
import { WITHOUT_FLUSH } from './flush.js';
import { inLockQueue } from './lock-queue.js';
import { Message } from './message.js';
import type { Migration } from './migration.js';
import {
  type MigrationAttempt,
  type MigrationTarget,
  claim,
  completion,
  migrationSettings,
} from './target.js';
import { addUnderLimits } from './under-limits.js';

/** What goes into the transaction that fills a new home, besides its migrations. */
export interface Around {
  /** Statements that make the home. */
  before: readonly Sql[];
  /** Statements that open it. */
  after: readonly Sql[];
  /** Nothing is committed before this has come true, and nothing at all if it fails. */
  until?: Promise<unknown> | undefined;
}

const NONE: DefaultsAtCreation = { additions: new Map(), complete: new Set() };

/**
 * Applies all migrations to a home that nobody reads yet: one transaction, one round trip, all or
 * nothing, the home itself included where `around` makes it. Indexes are built plainly, as CONCURRENTLY would wait for every old snapshot of the database.
 * @throws partial error `MIGRATION_FAILED` with file, line and caret; the home is as it was
 */
export async function applyFresh(
  connection: Connection,
  target: MigrationTarget,
  migrations: readonly Migration[],
  { before, after, until }: Around = { before: [], after: [] },
): Promise<void> {
  if (migrations.length === 0) {
    await until;
    await connection.atomically([...before, ...after]);
    return;
  }
  retireAfter(connection, migrations);
  const message = new Message().add('begin');
  for (const statement of before) message.add(statement.text());
  message.add(sql`select ${claim(target, null, migrations, 'applied')}, ${migrationSettings(target)}`.text());
  // The tables of a pool get the default along with its policies.
  const { additions, complete } = target.unit.shared ? NONE : defaultsAtCreation(migrations, target.tenancy);
  for (const migration of migrations) message.addFresh(migration, additions.get(migration));
  const finish = completion(target, migrations, complete);
  if (finish !== null) message.add(finish.text());
  for (const statement of after) message.add(statement.text());
  if (until === undefined) return sendWhole(connection, target, message.add('commit'));
  await send(connection, target, message);
  try {
    await until;
  } catch (error) {
    await connection.rollback();
    throw error;
  }
  await sendWhole(connection, target, new Message().add('commit'));
}

/**
 * Brings a unit to the newest of `migrations`, in order. Those that can run in a transaction travel
 * together, each in a transaction of its own with its ledger row; the others go one by one. Lock
 * timeouts, and a rival that was faster, lead to another look at the ledger (see `inLockQueue`).
 * @param ledger the unit's ledger as read before
 * @returns the migrations that were applied
 * @throws partial error `MIGRATION_FAILED`; earlier migrations stay applied, the failed one left nothing
 * @throws conflict `UNIT_BUSY`, `UNIT_MOVING` or `WAY_BACK_OPEN` (exit 5), and what `pendingOf` throws
 * @throws refusal `OWNER_NOT_ASSUMABLE` (exit 6) where the unit's tables belong to a role that the administrator cannot act as
 */
export async function applyPending(
  connection: Connection,
  target: MigrationTarget,
  migrations: readonly Migration[],
  ledger: readonly LedgerEntry[],
): Promise<Migration[]> {
  const wanted = pendingOf(target.unit, migrations, ledger);
  let known = ledger;
  await inLockQueue(connection, target, RIVAL_WAS_FASTER, async (attempt) => {
    try {
      await applyGroups(connection, attempt, pendingOf(target.unit, migrations, known), known);
    } catch (error) {
      if (connection.usable) known = await readLedger(connection, target.unit);
      throw await adoptedFault(connection, target, error);
    }
  });
  return wanted;
}

const RIVAL_WAS_FASTER: ReadonlySet<string> = new Set([CLAIM.moved]);

async function applyGroups(
  connection: Connection,
  target: MigrationAttempt,
  pending: readonly Migration[],
  ledger: readonly LedgerEntry[],
): Promise<void> {
  let after = newestOf(ledger)?.id ?? null;
  retireAfter(connection, pending);
  for (const group of groups(pending)) {
    const first = group[0] as Migration;
    if (first.directives.batched) await applyBatched(connection, target, first, after);
    else if (first.directives.noTransaction) await applyStepwise(connection, target, first, after);
    else await applyTogether(connection, target, group, after);
    after = group.at(-1)?.id ?? after;
  }
}

async function applyTogether(
  connection: Connection,
  target: MigrationAttempt,
  migrations: readonly Migration[],
  after: number | null,
): Promise<void> {
  const message = new Message();
  let previous = after;
  for (const migration of migrations) {
    addUnderLimits(
      message.add('begin'),
      target,
      migration,
      (limits) =>
        sql`select ${claim(target, previous, [migration], 'applied')}, ${migrationSettings(target, limits)}${target.flushedLater ? WITHOUT_FLUSH : raw('')}`,
    );
    for (const statement of closing(target, migration)) message.add(statement.text(), migration);
    message.add('commit', migration);
    previous = migration.id;
  }
  await sendWhole(connection, target, message);
}

/** Sends a message that ends in COMMIT. */
async function sendWhole(connection: Connection, target: MigrationTarget, message: Message): Promise<void> {
  const last = await send(connection, target, message);
  if (last !== 'COMMIT') throw new Error(`${target.unit.id}: the server answered ${last} instead of COMMIT`);
}

/**
 * Sends a message; a failure leaves the session ready for the next one.
 * @returns how its last statement was answered
 */
async function send(
  connection: Connection,
  target: MigrationTarget,
  message: Message,
): Promise<string | undefined> {
  try {
    const results = await connection.message(message.text);
    return results.at(-1)?.command;
  } catch (error) {
    if (connection.usable) await connection.rollback();
    throw migrationFailure(target, message, error);
  }
}

/** A plain SET outlasts its migration: the next unit must not run under it. */
function retireAfter(connection: Connection, migrations: readonly Migration[]): void {
  if (migrations.some(({ statements }) => statements.some(({ outlasts }) => outlasts))) connection.retire();
}

/** Runs of transactional migrations together, every other one alone. */
function groups(migrations: readonly Migration[]): Migration[][] {
  const result: Migration[][] = [];
  for (const migration of migrations) {
    const last = result.at(-1);
    if (last !== undefined && transactional(migration) && transactional(last[0] as Migration))
      last.push(migration);
    else result.push([migration]);
  }
  return result;
}

function transactional({ directives }: Migration): boolean {
  return !directives.noTransaction && !directives.batched;
}
