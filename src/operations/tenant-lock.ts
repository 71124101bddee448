import { conflictError } from '../core/errors.js';
import type { Fleet } from '../engine/context.js';
import type { Connection } from '../pg/connection.js';
import { tryWithLock } from '../pg/locks.js';

/**
 * Changes a tenant while no other process does.
 * @throws conflict `TENANT_LOCKED` (exit 5) at once when one does
 */
export async function alone<T>(
  fleet: Fleet,
  id: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const done = await fleet.catalog((connection) =>
    tryWithLock(connection, 'tenant', id, () => work(connection)),
  );
  if (done !== undefined) return done.value;
  throw conflictError('TENANT_LOCKED', `Tenant ${id} is being worked on by another process.`, {
    hint: 'Wait for it and run the same command again.',
    facts: { tenant: id },
  });
}
