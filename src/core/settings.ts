import type { Tier } from './tier.js';

/**
 * The settings the engine works with: checked, complete, durations in milliseconds. `config` makes
 * them from files and environment; nothing below `config` knows where a value came from.
 */
export interface FleetSettings {
  /** Admin URL of the catalog's database. Secret. */
  catalogUrl: string;
  clusters: Record<string, ClusterSettings>;
  migrations: MigrationSettings;
  tenancy: TenancySettings;
  plans: Record<string, PlanSettings>;
  provision: ProvisionSettings;
  rollout: RolloutSettings;
  hooks: HookSettings;
}

export interface ClusterSettings {
  name: string;
  /** Direct admin connection. Secret: it never leaves this process. */
  url: string;
  /** What `route` prints for applications. */
  app: { host: string; port: number };
  region: string | null;
  labels: Record<string, string>;
  /** This tool's budget of connections on the server, and on any one of its databases. */
  maxConnections: number;
  maxPerDatabase: number;
  pools: Record<string, PoolSettings>;
  /** The database that holds tenant schemas. */
  schemaDatabase: string;
}

export interface PoolSettings {
  name: string;
  database: string;
  schema: string;
}

export interface MigrationSettings {
  /** Absolute path. */
  directory: string;
  format: 'postgres-migrations';
  onForeignSchema: 'refuse' | 'rewrite';
}

export type RlsMode = 'enforce' | 'require' | 'observe' | 'off';

export interface TenancySettings {
  column: string;
  columnType: string;
  /** The run-time parameter that policies and column defaults read. */
  setting: string;
  appRole: string;
  rls: RlsMode;
  extensionsSchema: string;
  /** Pool tables without the tenant column that the application may write. */
  shared: string[];
  names: { schema: string; database: string };
}

export interface PlanSettings {
  name: string;
  tier: Tier;
  cluster: string | null;
  pool: string | null;
  region: string | null;
  labels: Record<string, string>;
  limits: PlanLimits;
}

export interface PlanLimits {
  connections: number | null;
  statementTimeoutMs: number | null;
  storageBytes: number | null;
}

export const NO_LIMITS: PlanLimits = { connections: null, statementTimeoutMs: null, storageBytes: null };

export interface ProvisionSettings {
  /** Absolute path of a SQL file, or null. */
  seed: string | null;
}

export interface RolloutSettings {
  concurrency: number;
  lockTimeoutMs: number;
  statementTimeoutMs: number;
  retries: number;
}

export interface HookSettings {
  /** Commands with their arguments, run one after the other; each gets the tenant as JSON on stdin. */
  afterProvision: string[][];
  /** The folder they run in: that of the configuration file. */
  directory: string;
  timeoutMs: number;
}
