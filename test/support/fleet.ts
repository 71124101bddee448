import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import type { StampedEvent } from '../../src/core/events.js';
import { eventStream } from '../../src/core/events.js';
import type { FleetSettings, TenancySettings } from '../../src/core/settings.js';
import { NO_LIMITS } from '../../src/core/settings.js';
import { generateSigningKey } from '../../src/core/signature.js';
import type { LocalServer } from '../../src/embedded/server.js';
import { Fleet } from '../../src/engine/context.js';
import { installFleet } from '../../src/operations/install.js';

export const INVOICING = fileURLToPath(new URL('../../fixtures/invoicing/', import.meta.url));

export interface FleetOverrides {
  migrations?: string;
  seed?: string | null;
  tenancy?: Partial<TenancySettings>;
  hooks?: string[][];
  hookTimeoutMs?: number;
  plans?: FleetSettings['plans'];
  moves?: Partial<FleetSettings['moves']>;
  retention?: Partial<FleetSettings['retention']>;
  afterDelete?: string[][];
  /** Clusters beside `main`. */
  clusters?: FleetSettings['clusters'];
  rollout?: Partial<FleetSettings['rollout']>;
}

/** What signs in the fleets of one test file. */
const SIGNING_KEY = generateSigningKey();

export interface TestFleet {
  fleet: Fleet;
  settings: FleetSettings;
  events: StampedEvent[];
  /** A second process's view of the same fleet. */
  another(): Fleet;
}

let fleets = 0;
const open: Fleet[] = [];

afterEach(async () => {
  for (const fleet of open.splice(0)) await fleet.close();
});

/**
 * A fleet of its own on the server of the test file: catalog, pool, names and roles are numbered, so that
 * fleets of one file do not meet. Closed after the test.
 */
export async function newFleet(server: LocalServer, overrides: FleetOverrides = {}): Promise<TestFleet> {
  fleets += 1;
  const settings = fleetSettings(server, fleets, overrides);
  const events: StampedEvent[] = [];
  const fleet = openTestFleet(settings, events);
  await installFleet(fleet);
  return { fleet, settings, events, another: () => openTestFleet(settings, events) };
}

function openTestFleet(settings: FleetSettings, events: StampedEvent[]): Fleet {
  const fleet = new Fleet(settings, {
    emit: eventStream('test', [(event) => events.push(event)]),
    reach: () => undefined,
    actor: { actor: 'suite', reason: null, ticket: null },
    signal: new AbortController().signal,
  });
  open.push(fleet);
  return fleet;
}

/** The settings of the n-th fleet of a file: one cluster `main` with one pool `shared`, plans for each tier. */
export function fleetSettings(server: LocalServer, n: number, overrides: FleetOverrides = {}): FleetSettings {
  const pool = `app_shared_${n}`;
  return {
    catalogUrl: server.adminUrl(`catalog_${n}`),
    clusters: {
      main: {
        name: 'main',
        url: server.adminUrl('postgres'),
        app: { host: '127.0.0.1', port: server.port },
        region: 'eu',
        labels: {},
        maxConnections: 20,
        maxPerDatabase: 8,
        pools: { [`shared${n}`]: { name: `shared${n}`, database: pool, schema: 'app' } },
        schemaDatabase: pool,
      },
      ...overrides.clusters,
    },
    migrations: {
      directory: overrides.migrations ?? `${INVOICING}migrations`,
      format: 'postgres-migrations',
      onForeignSchema: 'refuse',
    },
    tenancy: {
      column: 'tenant_id',
      columnType: 'uuid',
      setting: 'app.tenant_id',
      appRole: `app_user_${n}`,
      rls: 'enforce',
      extensionsSchema: 'extensions',
      shared: [],
      names: { schema: `t${n}_{id}`, database: `d${n}_{id}` },
      ...overrides.tenancy,
    },
    plans: overrides.plans ?? {
      free: {
        name: 'free',
        tier: 'pool',
        cluster: null,
        pool: null,
        region: null,
        labels: {},
        limits: NO_LIMITS,
      },
      pro: {
        name: 'pro',
        tier: 'schema',
        cluster: null,
        pool: null,
        region: null,
        labels: {},
        limits: NO_LIMITS,
      },
      enterprise: {
        name: 'enterprise',
        tier: 'database',
        cluster: null,
        pool: null,
        region: null,
        labels: {},
        limits: { connections: 20, statementTimeoutMs: 30_000, storageBytes: null },
      },
    },
    provision: { seed: overrides.seed === undefined ? `${INVOICING}seed.sql` : overrides.seed },
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
      ...overrides.rollout,
    },
    moves: { graceMs: 86_400_000, maxPauseMs: 250, maxLagMs: 1_000, atomicBelow: 20_000, ...overrides.moves },
    hooks: {
      afterProvision: overrides.hooks ?? [],
      beforeCutover: [],
      afterFlip: [],
      afterUndo: [],
      afterSuspend: [],
      afterDelete: overrides.afterDelete ?? [],
      directory: tmpdir(),
      timeoutMs: overrides.hookTimeoutMs ?? 10_000,
    },
    retention: {
      periodMs: 30 * 86_400_000,
      export: true,
      directory: join(tmpdir(), 'tenantctl-exports'),
      max: 25,
      purgeBatch: 5_000,
      purgePauseMs: 0,
      ...overrides.retention,
    },
    backups: [],
    signing: { key: SIGNING_KEY },
  };
}
