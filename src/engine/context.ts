import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import { conflictError, internalError } from '../core/errors.js';
import type { Emit } from '../core/events.js';
import type { Reach } from '../core/faults.js';
import { redactDeep } from '../core/redact.js';
import type { ClusterSettings, FleetSettings } from '../core/settings.js';
import { TOOL_VERSION } from '../core/version.js';
import type { Connection } from '../pg/connection.js';
import { Connections } from '../pg/connections.js';
import { NO_SUCH_DATABASE, sqlstateOf } from '../pg/errors.js';
import {
  CATALOG,
  LOCAL_STATE,
  installOwnSchema,
  installedVersion,
  newestVersion,
} from './ledger/own-schema.js';

/** Who asks for a change, and why; kept in every audit row beside the database's own user. */
export interface Actor {
  actor: string;
  reason: string | null;
  ticket: string | null;
}

export interface FleetOptions {
  emit: Emit;
  reach: Reach;
  actor: Actor;
  signal: AbortSignal;
}

/** Connections that one process holds to the catalog, and how many of them pieces of work may keep while they ask for more. */
const CATALOG_CONNECTIONS = 32;
const CATALOG_HOLDERS = 24;

/** How long the catalog is still written to after everything else was cancelled. */
const CATALOG_GRACE_MS = 1_500;

/** An open fleet: settings, connections to the catalog and the clusters, and who is acting. */
export class Fleet {
  /** Names this process in `application_name`, so that its sessions can be told from others. */
  private readonly session = randomUUID();
  private readonly catalogConnections: Connections;
  private readonly holders = pLimit(CATALOG_HOLDERS);
  private readonly clusters = new Map<string, Connections>();
  private readonly prepared = new Map<string, Promise<void>>();
  private statementsCancelled = false;

  constructor(
    readonly settings: FleetSettings,
    readonly options: FleetOptions,
  ) {
    this.catalogConnections = new Connections(
      {
        name: 'the catalog',
        url: settings.catalogUrl,
        maxConnections: CATALOG_CONNECTIONS,
        maxPerDatabase: CATALOG_CONNECTIONS,
      },
      `tenantctl/${TOOL_VERSION} catalog`,
    );
  }

  get emit(): Emit {
    return this.options.emit;
  }

  get reach(): Reach {
    return this.options.reach;
  }

  /** Without secrets: people paste command lines into reasons, and these are stored for ever. */
  get actor(): Actor {
    return redactDeep(this.options.actor);
  }

  get signal(): AbortSignal {
    return this.options.signal;
  }

  /** Whether `cancelStatements` was called: what fails from then on has not failed by itself. */
  get cancelled(): boolean {
    return this.statementsCancelled;
  }

  get catalogDatabase(): string {
    return this.catalogConnections.maintenanceDatabase;
  }

  /** @throws internal error when the configuration does not know the cluster of a stored placement */
  cluster(name: string): ClusterSettings {
    const cluster = this.settings.clusters[name];
    if (cluster !== undefined) return cluster;
    throw conflictError(
      'CLUSTER_UNKNOWN',
      `The configuration has no cluster ${name}, but the catalog places tenants on it.`,
      {
        hint: `Add clusters.${name}.url to the configuration.`,
        facts: { cluster: name },
      },
    );
  }

  /** Lends a connection to the catalog's database. */
  catalog<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.catalogConnections.use(this.catalogDatabase, work);
  }

  /**
   * The same for work that asks the catalog for further connections while it keeps this one. There are
   * always some left for that: were every connection kept, all would wait for one more for ever.
   */
  catalogHeld<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.holders(() => this.catalog(work));
  }

  /** Lends a connection to the catalog's server, for when its database is not there yet. */
  catalogServer<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.catalogConnections.use('postgres', work);
  }

  /** Runs `work` in one transaction of the catalog. */
  catalogTransaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.catalog((connection) => connection.transaction(() => work(connection)));
  }

  /** The connections to one cluster. */
  connections(name: string): Connections {
    const open = this.clusters.get(name);
    if (open !== undefined) return open;
    const { url, maxConnections, maxPerDatabase } = this.cluster(name);
    const connections = new Connections(
      { name: `cluster ${name}`, url, maxConnections, maxPerDatabase },
      `tenantctl/${TOOL_VERSION} ${this.session.slice(0, 8)}`,
    );
    this.clusters.set(name, connections);
    if (this.statementsCancelled) void connections.cancelAll();
    return connections;
  }

  /** Lends a connection to a database of the fleet whose local state is installed and current. */
  async managed<T>(
    cluster: string,
    database: string,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const connections = this.connections(cluster);
    await this.once(localStateOf(cluster, database), () =>
      connections.use(database, async (connection) => {
        await installOwnSchema(connection, LOCAL_STATE, TOOL_VERSION);
      }),
    );
    return connections.use(database, work);
  }

  /** Takes down that the local state of a database was seen to be current: `managed` need not look. */
  noteCurrent(cluster: string, database: string): void {
    void this.once(localStateOf(cluster, database), () => Promise.resolve());
  }

  /** Runs `work` for a key the first time it is asked for; a failure is not remembered. */
  once(key: string, work: () => Promise<void>): Promise<void> {
    const known = this.prepared.get(key);
    if (known !== undefined) return known;
    const running = work().catch((error: unknown) => {
      this.prepared.delete(key);
      throw error;
    });
    this.prepared.set(key, running);
    return running;
  }

  /**
   * Cancels the statements of this process on all clusters at once, and lets no other one start there. The
   * catalog may still take down how things ended; what runs there after a moment is cancelled as well.
   * @throws connection error (exit 4) when a server does not answer
   */
  async cancelStatements(): Promise<void> {
    this.statementsCancelled = true;
    const clusters = [...this.clusters.values()].map((connections) => connections.cancelAll());
    const catalog = pause(CATALOG_GRACE_MS, undefined, { ref: false }).then(() =>
      this.catalogConnections.cancelAll(),
    );
    await Promise.all([...clusters, catalog]);
  }

  async close(): Promise<void> {
    await Promise.all(
      [this.catalogConnections, ...this.clusters.values()].map((connections) => connections.close()),
    );
  }
}

const localStateOf = (cluster: string, database: string): string => `${cluster}/${database}`;

/**
 * Opens a fleet whose catalog is installed.
 * @throws connection error (exit 4) · conflict `CATALOG_MISSING` or `TOOL_OUTDATED` (exit 5)
 */
export async function openFleet(settings: FleetSettings, options: FleetOptions): Promise<Fleet> {
  const fleet = new Fleet(settings, options);
  try {
    await fleet.catalog(requireCatalog);
    return fleet;
  } catch (error) {
    await fleet.close();
    throw sqlstateOf((error as Error).cause) === NO_SUCH_DATABASE ? noCatalogDatabase(fleet, error) : error;
  }
}

function noCatalogDatabase(fleet: Fleet, cause: unknown) {
  const database = fleet.catalogDatabase;
  return conflictError('CATALOG_MISSING', `There is no database ${database} for the catalog.`, {
    hint: 'Run `tenantctl init`: it makes the catalog and changes nothing else.',
    facts: { database },
    cause,
  });
}

async function requireCatalog(connection: Connection): Promise<void> {
  const known = await newestVersion(CATALOG);
  if (known === 0)
    throw internalError(
      'PACKAGE_INCOMPLETE',
      "The catalog's own migrations are missing from this installation.",
    );
  const present = await installedVersion(connection, CATALOG);
  if (present === known) return;
  if (present > known) {
    await installOwnSchema(connection, CATALOG, TOOL_VERSION);
    return;
  }
  throw conflictError(
    'CATALOG_MISSING',
    present === 0
      ? `Database ${connection.database} on ${connection.server} has no tenantctl catalog.`
      : `The catalog in database ${connection.database} is at version ${present}; this tenantctl needs ${known}.`,
    {
      hint: 'Run `tenantctl init`: it installs or upgrades the catalog and changes nothing else.',
      facts: { server: connection.server, database: connection.database, present, known },
    },
  );
}
