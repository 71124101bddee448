import type { Selector } from './selector.js';
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
  moves: MoveSettings;
  retention: RetentionSettings;
  backups: BackupSettings[];
  signing: SigningSettings;
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
  /** Left out: `tenancy.rls`. Ask `rulesOfPool`. */
  rls?: RlsMode;
  /** Tables that are enforced although the pool only observes. */
  enforce?: readonly string[];
}

/** The formats of migration directories that are read. */
export const MIGRATION_FORMATS = [
  'postgres-migrations',
  'prisma',
  'drizzle',
  'node-pg-migrate',
  'dbmate',
  'golang-migrate',
  'flyway',
  'sqitch',
] as const;
export type MigrationFormatName = (typeof MIGRATION_FORMATS)[number];

export interface MigrationSettings {
  /** Absolute path. */
  directory: string;
  /** `auto`: the one that the directory plainly has. */
  format: MigrationFormatName | 'auto';
  onForeignSchema: 'refuse' | 'rewrite';
}

export const RLS_MODES = ['enforce', 'require', 'observe', 'off'] as const;
export type RlsMode = (typeof RLS_MODES)[number];

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

/** The same as it holds for one unit: a pool has rules of its own for row-level security. */
export interface UnitTenancy extends TenancySettings {
  /** Tables that are enforced although the pool observes the others. */
  enforce?: readonly string[];
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

/** How migrations reach the fleet: the policy of a run, and the limits within one unit. */
export interface RolloutSettings extends UnitLimits {
  order: UnitOrder;
  concurrency: number;
  window: WindowSettings | null;
  failureBudget: FailureBudget;
  onFailure: OnFailure;
  waves: WaveSettings[];
  throttle: ThrottleSettings;
}

/** What holds while one unit is migrated. */
export interface UnitLimits {
  lockTimeoutMs: number;
  /** For statements that hold a lock which blocks readers or writers. */
  blockingTimeoutMs: number;
  statementTimeoutMs: number;
  /** Tries after the first for a unit that met a lock. */
  retries: number;
  /** Indexes that may be built concurrently in one database at a time. */
  indexBuilds: number;
  /** Pause between two batches of a batched migration. */
  batchPauseMs: number;
}

export type UnitOrder = 'largest-first' | 'smallest-first' | 'name';
export type OnFailure = 'halt' | 'continue' | 'rollback';

/** Failed units that are borne; one more stops the run. Each limit holds for every wave and for the run. */
export interface FailureBudget {
  /** Null for no such limit, like the others. */
  count: number | null;
  /** Of the units of the wave, and of the run. */
  percent: number | null;
  /** Failures one after the other. */
  consecutive: number | null;
}

export interface WaveSettings {
  name: string;
  /** Its units; null for whatever is left. */
  select: Selector | null;
  max: number | null;
  percent: number | null;
  bakeMs: number;
  /** Must a person approve before the next wave begins? */
  approve: boolean;
  checks: HealthCheck[];
}

export type HealthCheck = { sql: string } | { command: string[] };

/** When units may be started. */
export interface WindowSettings {
  /** 1 for Monday to 7. */
  days: number[];
  /** Minutes since midnight; a window whose end is before its start ends on the next day. */
  from: number;
  to: number;
  zone: string;
}

/** While one of these is exceeded, no unit is started. */
export interface ThrottleSettings {
  replicationLagMs: number | null;
  /** Percent of the server's connections. */
  activeSessions: number | null;
  /** A query against each cluster; a first value of false holds the run back. */
  sql: string | null;
}

export interface MoveSettings {
  /** How long a move can be undone. */
  graceMs: number;
  maxPauseMs: number;
  /** How close the copy must be before the cut-over. */
  maxLagMs: number;
  /** Rows below which a tenant moves in one transaction within one database. */
  atomicBelow: number;
}

export interface HookSettings {
  /** Commands with their arguments, run one after the other; each gets the tenant as JSON on stdin. */
  afterProvision: string[][];
  beforeCutover: string[][];
  afterFlip: string[][];
  afterUndo: string[][];
  afterSuspend: string[][];
  afterDelete: string[][];
  /** The folder they run in: that of the configuration file. */
  directory: string;
  timeoutMs: number;
}

/** What becomes of tenants that leave. */
export interface RetentionSettings {
  /** Between the request and the deletion. */
  periodMs: number;
  /** Is the tenant exported first, unless the request says otherwise? */
  export: boolean;
  /** Absolute path of the folder for exports for which no other is named. */
  directory: string;
  /** With more tenants due than this nothing is deleted. */
  max: number;
  /** Rows that one statement deletes from a pool, and the pause after it. */
  purgeBatch: number;
  purgePauseMs: number;
}

/** A backup outside this tool, as far as the configuration tells. */
export interface BackupSettings {
  name: string;
  /** Null for all. */
  clusters: string[] | null;
  expireAfterMs: number;
}

export interface SigningSettings {
  /** Ed25519 private key. Secret. Null when none is configured. */
  key: string | null;
}
