import { resolve } from 'node:path';
import { internalError } from '../core/errors.js';
import type { ClusterSettings, FleetSettings, PlanSettings, RlsMode } from '../core/settings.js';
import { parseConnectionUrl, type ConnectionUrl } from './connection-url.js';
import type { LoadedConfig } from './load.js';
import type { ConfigValues } from './schema.js';
import { toRollout } from './to-rollout.js';
import { recordOf } from './tree.js';

/** The URL of a database on the local server. */
export type LocalUrl = (database: string) => string;

type ClusterValues = ConfigValues['clusters'][string];
type PlanValues = ConfigValues['plans'][string];

const CATALOG_DATABASE = 'tenantctl';
const MAINTENANCE_DATABASE = 'postgres';

/** What only who has started the local server knows. */
export interface LocalFleet {
  localUrl?: LocalUrl;
  /** The key that signs where none is configured. Secret. */
  signingKey?: string;
}

/**
 * What the engine works with. `localUrl` is needed with `catalog: local`: only who has started the
 * local server knows where it listens.
 * @throws internal error when it is needed and missing
 */
export function toSettings(config: LoadedConfig, server: LocalFleet = {}): FleetSettings {
  const { values, root } = config;
  const localUrl = server.localUrl ?? notStarted;
  return {
    catalogUrl: config.catalog.kind === 'url' ? config.catalog.url : localUrl(CATALOG_DATABASE),
    clusters: mapRecord(values.clusters, (name, cluster) =>
      toCluster(name, cluster, values.tenancy.rls, localUrl),
    ),
    migrations: { ...values.migrations, directory: resolve(root, values.migrations.directory) },
    tenancy: values.tenancy,
    plans: mapRecord(values.plans, toPlan),
    provision: { seed: values.provision.seed === undefined ? null : resolve(root, values.provision.seed) },
    rollout: toRollout(values.rollout),
    moves: {
      graceMs: values.moves.grace,
      maxPauseMs: values.moves.maxPause,
      maxLagMs: values.moves.maxLag,
      atomicBelow: values.moves.atomicBelow,
    },
    hooks: {
      afterProvision: values.hooks.afterProvision,
      beforeCutover: values.hooks.beforeCutover,
      afterFlip: values.hooks.afterFlip,
      afterUndo: values.hooks.afterUndo,
      afterSuspend: values.hooks.afterSuspend,
      afterDelete: values.hooks.afterDelete,
      directory: root,
      timeoutMs: values.hooks.timeout,
    },
    retention: {
      periodMs: values.retention.period,
      export: values.retention.export,
      directory: resolve(root, values.retention.directory),
      max: values.retention.max,
      purgeBatch: values.retention.purgeBatch,
      purgePauseMs: values.retention.purgePause,
    },
    backups: values.backups.map(({ name, clusters, expireAfter }) => ({
      name,
      clusters: clusters ?? null,
      expireAfterMs: expireAfter,
    })),
    signing: { key: values.signing.key ?? server.signingKey ?? null },
  };
}

function mapRecord<T, R>(
  record: Record<string, T>,
  change: (name: string, value: T) => R,
): Record<string, R> {
  return recordOf(Object.entries(record).map(([name, value]) => [name, change(name, value)] as const));
}

function notStarted(): never {
  throw internalError(
    'LOCAL_SERVER_NOT_STARTED',
    'The configuration uses the local server, which was not started.',
  );
}

function toCluster(name: string, values: ClusterValues, usual: RlsMode, localUrl: LocalUrl): ClusterSettings {
  const url = values.url === 'local' ? localUrl(MAINTENANCE_DATABASE) : values.url;
  const server = readUrl(url);
  const pools = mapRecord(values.pools, (pool, { rls = usual, ...place }) => ({
    name: pool,
    ...place,
    rls,
  }));
  return {
    name,
    url,
    app: { host: values.app.host ?? server.host, port: values.app.port ?? server.port },
    region: values.region ?? null,
    labels: mapRecord(values.labels, (_, label) => label),
    maxConnections: values.maxConnections,
    maxPerDatabase: Math.min(values.maxPerDatabase, values.maxConnections),
    pools,
    schemaDatabase: values.schemas.database ?? Object.values(pools)[0]?.database ?? server.database,
  };
}

function readUrl(url: string): ConnectionUrl {
  const result = parseConnectionUrl(url);
  if ('url' in result) return result.url;
  throw internalError('CLUSTER_URL_UNREADABLE', `The URL of a cluster ${result.problem}.`);
}

function toPlan(name: string, values: PlanValues): PlanSettings {
  return {
    name,
    tier: values.tier,
    cluster: values.cluster ?? null,
    pool: values.pool ?? null,
    region: values.region ?? null,
    labels: mapRecord(values.labels, (_, label) => label),
    limits: {
      connections: values.limits.connections ?? null,
      statementTimeoutMs: values.limits.statementTimeout ?? null,
      storageBytes: values.limits.storage ?? null,
    },
  };
}
