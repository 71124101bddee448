import type { Connection } from './connection.js';
import { type Sql, script, sql } from './sql.js';

/**
 * Classes of advisory locks, so that a tenant and a unit of the same name do not meet. The numbers are
 * part of the protocol between versions of this tool: `tenantctl.claim` in the managed databases
 * takes the unit's lock with the same class.
 */
export const LOCK_CLASS = {
  unit: 1_952_804_451,
  tenant: 1_952_804_452,
  cluster: 1_952_804_453,
  install: 1_952_804_454,
  indexBuild: 1_952_804_455,
  /** Shared by the writers of a moving tenant, taken alone for its cut-over (`tenantctl.gate`). */
  fence: 1_952_804_456,
};

export type LockClass = keyof typeof LOCK_CLASS;

/**
 * Holds a session lock for the time of `work`. The lock dies with its connection, so a killed process
 * leaves none behind.
 * @returns undefined, without calling `work`, when somebody else holds the lock
 */
export async function tryWithLock<T>(
  connection: Connection,
  kind: LockClass,
  name: string,
  work: () => Promise<T>,
): Promise<{ value: T } | undefined> {
  const row = await connection.row<{ held: boolean }>(tryLock(kind, name));
  if (row?.held !== true) return undefined;
  return { value: await releasing(connection, kind, name, work) };
}

/**
 * The same for work that begins with a question, which travels with the lock's: the server answers it after the lock was
 * had, so that what it says stands for as long.
 */
export async function tryWithLockAsking<Row, T>(
  connection: Connection,
  kind: LockClass,
  name: string,
  question: Sql,
  work: (rows: Row[]) => Promise<T>,
): Promise<{ value: T } | undefined> {
  const [lock, answer] = await connection.message(script([tryLock(kind, name), question])).catch((error) => {
    // The lock may be had, and ends with its session.
    connection.retire();
    throw error;
  });
  if (lock?.rows[0]?.['held'] !== true) return undefined;
  return { value: await releasing(connection, kind, name, () => work((answer?.rows ?? []) as Row[])) };
}

function tryLock(kind: LockClass, name: string): Sql {
  return sql`select pg_try_advisory_lock(${LOCK_CLASS[kind]}::int, hashtext(${name})) as held`;
}

/** The same, waiting in the server's queue until the holder lets go. */
export async function withLock<T>(
  connection: Connection,
  kind: LockClass,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  await connection.rows(sql`select pg_advisory_lock(${LOCK_CLASS[kind]}::int, hashtext(${name}))`);
  return releasing(connection, kind, name, work);
}

/**
 * The condition for the rows `l` of pg_locks of whoever holds such a lock in this database now.
 * @param name an expression
 */
export function heldLock(kind: LockClass, name: Sql): Sql {
  return sql`l.locktype = 'advisory' and l.granted and l.objsubid = 2
    and l.classid = ${LOCK_CLASS[kind]}::int::oid and l.objid = hashtext(${name})::oid
    and l.database = (select oid from pg_database where datname = current_database())`;
}

/** Whether any session holds the lock now. */
export async function isHeld(connection: Connection, kind: LockClass, name: string): Promise<boolean> {
  const row = await connection.row(sql`select from pg_locks l where ${heldLock(kind, sql`${name}`)} limit 1`);
  return row !== undefined;
}

/**
 * Ends the other sessions that hold the lock, which lets it go, and waits up to five seconds until they have ended.
 * @returns whether there was one
 */
export async function endHolders(connection: Connection, kind: LockClass, name: string): Promise<boolean> {
  const ended = await connection.rows(sql`
    select pg_terminate_backend(l.pid, 5000) from pg_locks l
     where ${heldLock(kind, sql`${name}`)} and l.pid <> pg_backend_pid()`);
  return ended.length > 0;
}

async function releasing<T>(
  connection: Connection,
  kind: LockClass,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } finally {
    if (connection.usable) {
      await connection.rows(sql`select pg_advisory_unlock(${LOCK_CLASS[kind]}::int, hashtext(${name}))`);
    }
  }
}
