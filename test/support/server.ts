import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { type LocalServer, startLocalServer } from '../../src/embedded/server.js';

/** What a crash of the machine would lose is nothing that a test looks at. */
const FAST = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', shared_buffers: '64MB' };

/** A server of the test file's own, stopped and removed after its tests. Call it at the top of a file. */
export function useServer(settings: Record<string, string> = {}): { readonly current: LocalServer } {
  const holder: { current: LocalServer | undefined; folder: string } = { current: undefined, folder: '' };
  beforeAll(async () => {
    holder.folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-test-'));
    chmodSync(holder.folder, 0o755);
    holder.current = await startLocalServer({
      directory: path.join(holder.folder, '.tenantctl'),
      lifetime: 'tied',
      from: inject('serverTemplate'),
      settings: { ...FAST, ...settings },
    });
  });
  afterAll(async () => {
    await holder.current?.stop();
    rmSync(holder.folder, { recursive: true, force: true, maxRetries: 20 });
  });
  return {
    get current() {
      if (holder.current === undefined) throw new Error('the server is not there before the tests begin');
      return holder.current;
    },
  };
}

/** Runs `work` with a plain connection that knows nothing of tenantctl: the view from outside. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** One statement over a connection of its own. */
export function query<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  return withClient(url, async (client) => (await client.query<Row>(text, values)).rows);
}
