import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startLocalServer } from '../dist/embedded/server.js';
import { Fleet } from '../dist/engine/context.js';
import { generateSigningKey } from '../dist/core/signature.js';
import { NO_LIMITS } from '../dist/core/settings.js';
import { installFleet } from '../dist/operations/install.js';

export const INVOICING = fileURLToPath(new URL('../fixtures/invoicing/', import.meta.url));

/**
 * Durable settings, as a production server has them; memory for a machine of this size. After a checkpoint WAL files are used
 * again, as on a server that has run for a while: a new one is filled with zeros first, while everybody waits who commits.
 */
const SERVER = {
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  min_wal_size: '4GB',
  checkpoint_timeout: '30min',
  max_connections: '100',
};

const folders = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
});

/**
 * A server of the bench's own. Its thousands of files are removed when the whole bench has ended: for minutes after a removal
 * ext4 passes over the freed inodes one by one, and every new file costs a millisecond, which is what a schema is made of.
 */
export async function withServer(work) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-'));
  chmodSync(folder, 0o755);
  folders.push(folder);
  const server = await startLocalServer({
    directory: path.join(folder, '.tenantctl'),
    lifetime: 'tied',
    settings: SERVER,
  });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

/** A fleet on that server with the sample product, or with other migrations. */
export async function openFleet(server, overrides = {}) {
  const fleet = new Fleet(
    {
      catalogUrl: server.adminUrl('catalog'),
      clusters: {
        main: {
          name: 'main',
          url: server.adminUrl('postgres'),
          app: { host: '127.0.0.1', port: server.port },
          region: null,
          labels: {},
          maxConnections: 20,
          maxPerDatabase: 16,
          pools: { shared: { name: 'shared', database: 'app_shared', schema: 'app' } },
          schemaDatabase: 'app_shared',
        },
      },
      migrations: {
        directory: `${INVOICING}migrations`,
        format: 'postgres-migrations',
        onForeignSchema: 'refuse',
      },
      tenancy: {
        column: 'tenant_id',
        columnType: 'uuid',
        setting: 'app.tenant_id',
        appRole: 'app_user',
        rls: 'enforce',
        extensionsSchema: 'extensions',
        shared: [],
        names: { schema: 'tenant_{id}', database: 'tenant_{id}' },
      },
      plans: {
        pro: {
          name: 'pro',
          tier: 'schema',
          cluster: null,
          pool: null,
          region: null,
          labels: {},
          limits: NO_LIMITS,
        },
      },
      provision: { seed: null },
      rollout: {
        order: 'name',
        concurrency: 4,
        lockTimeoutMs: 2_000,
        blockingTimeoutMs: 10_000,
        statementTimeoutMs: 60_000,
        retries: 5,
        indexBuilds: 2,
        batchPauseMs: 0,
        window: null,
        failureBudget: { count: 1_000_000, percent: 100, consecutive: null },
        onFailure: 'halt',
        waves: [],
        throttle: { replicationLagMs: null, activeSessions: null, sql: null },
      },
      moves: { graceMs: 86_400_000, maxPauseMs: 250, maxLagMs: 1_000, atomicBelow: 20_000 },
      hooks: {
        afterProvision: [],
        beforeCutover: [],
        afterFlip: [],
        afterUndo: [],
        afterSuspend: [],
        afterDelete: [],
        directory: tmpdir(),
        timeoutMs: 1_000,
      },
      retention: {
        periodMs: 0,
        export: false,
        directory: tmpdir(),
        max: 10_000,
        purgeBatch: 5_000,
        purgePauseMs: 20,
      },
      backups: [],
      signing: { key: generateSigningKey() },
      ...overrides,
    },
    {
      emit: () => undefined,
      reach: () => undefined,
      actor: { actor: 'bench', reason: null, ticket: null },
      signal: new AbortController().signal,
    },
  );
  await installFleet(fleet);
  return fleet;
}

/** A connection whose end with the server is no news. */
export async function connect(connectionString) {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function* tenants(count, prefix, tier) {
  for (let line = 1; line <= count; line += 1) yield { line, request: { id: `${prefix}${line}`, tier } };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

export async function milliseconds(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Resident private memory of a server process, in MB; null where /proc does not tell. */
export async function backendMemory(pid) {
  const { readFile } = await import('node:fs/promises');
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const match = /RssAnon:\s+(\d+) kB/.exec(status);
  return match === null ? null : Number(match[1]) / 1024;
}

/** Brings to the disk what was written, so that nobody who comes later pays for it. */
export async function checkpoint(server) {
  const client = await connect(server.superuserUrl('postgres'));
  await client.query('checkpoint');
  await client.end();
}
