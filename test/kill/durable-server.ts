import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, inject, vi } from 'vitest';
import { type LocalServer, startLocalServer } from '../../src/embedded/server.js';

export interface DurableServer {
  readonly current: LocalServer;
  /** SIGINT stops it in order and ends every session, SIGQUIT at once and it must recover. Waits until it is gone. */
  stop(signal: 'SIGINT' | 'SIGQUIT'): Promise<void>;
  /** Starts it again, on the same port where that is still free. */
  start(): Promise<LocalServer>;
}

/**
 * A server that tests stop and start. Its commits wait for their log to be written, as ever: one that is stopped at
 * once must find what it has promised. Without fsync the operating system holds it, which outlives any end of the
 * server. Call it at the top of a file.
 */
export function useDurableServer(settings: Record<string, string> = {}): DurableServer {
  const folder = mkdtempSync(join(tmpdir(), 'tenantctl-loss-'));
  chmodSync(folder, 0o755);
  let server: LocalServer;
  const start = async () =>
    (server = await startLocalServer({
      directory: join(folder, '.tenantctl'),
      lifetime: 'tied',
      from: inject('serverTemplate'),
      settings: { fsync: 'off', ...settings },
    }));
  beforeAll(async () => void (await start()));
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
  });
  return {
    get current() {
      return server;
    },
    async stop(signal) {
      const { pid } = server;
      process.kill(pid, signal);
      await vi.waitUntil(() => isGone(pid), { interval: 10, timeout: 30_000 });
    },
    start,
  };
}

function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}
