import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/pg/connection.js';
import { Connections } from '../../src/pg/connections.js';
import { isHeld, tryWithLock, tryWithLockAsking, withLock } from '../../src/pg/locks.js';
import { raw } from '../../src/pg/sql.js';
import { useServer } from '../support/server.js';
import { engineSession } from '../support/session.js';

const server = useServer();

async function sessions<T>(work: (one: Connection, other: Connection) => Promise<T>): Promise<T> {
  const one = await engineSession(server.current, 'postgres');
  const other = await engineSession(server.current, 'postgres');
  try {
    return await work(one, other);
  } finally {
    await one.close();
    await other.close();
  }
}

describe('a question that travels with a lock', () => {
  test('is answered as things stand once the lock is had, and the lock goes with the work', async () => {
    await sessions(async (one, other) => {
      const held = raw(
        "select count(*)::int as n from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
      );
      const done = await tryWithLockAsking(one, 'tenant', 'acme', held, async ([found]) => {
        expect(await isHeld(other, 'tenant', 'acme')).toBe(true);
        return found;
      });
      expect(done).toEqual({ value: { n: 1 } });
      expect(await isHeld(other, 'tenant', 'acme')).toBe(false);
    });
  });

  test('leads to no work where somebody else has the lock', async () => {
    await sessions(async (one, other) => {
      await tryWithLock(other, 'tenant', 'held', async () => {
        const work = (): never => expect.fail('it has no lock');
        expect(await tryWithLockAsking(one, 'tenant', 'held', raw('select 1'), work)).toBeUndefined();
      });
    });
  });

  test('leaves no lock behind where it fails: the session is not used again', async () => {
    await sessions(async (one, other) => {
      const fleetOf = new Connections(
        { name: 'locks', url: server.current.adminUrl('postgres'), maxConnections: 1, maxPerDatabase: 1 },
        'locks',
      );
      const failing = fleetOf.use('postgres', (session) =>
        tryWithLockAsking(session, 'tenant', 'bad', raw('select 1/0'), () => Promise.resolve(1)),
      );
      await expect(failing).rejects.toMatchObject({ code: '22012' });
      expect(await withLock(one, 'tenant', 'bad', () => isHeld(other, 'tenant', 'bad'))).toBe(true);
      await fleetOf.close();
    });
  });
});
