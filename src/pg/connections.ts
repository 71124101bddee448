import { Connection, statementsCancelled } from './connection.js';
import { type Endpoint, databaseOf } from './endpoint.js';
import { sql } from './sql.js';

/** A backend that has touched this many schemas is replaced (reconnecting costs about 5 ms). */
const SCHEMAS_PER_BACKEND = 500;
/** Who cancels is about to leave, and a server that does not answer must not keep them. */
const CANCEL_PATIENCE_MS = 2_000;

interface Waiter {
  database: string;
  wake: () => void;
}

/**
 * The connections of this process to one cluster, within two budgets: the whole server and any one
 * database. Idle connections are kept for reuse (a new one costs six times the work of a small
 * migration); one to another database gives way when the budget is spent.
 */
export class Connections {
  private readonly idle: Connection[] = [];
  private readonly lent = new Set<Connection>();
  private readonly waiting: Waiter[] = [];
  private readonly openIn = new Map<string, number>();
  private open = 0;
  private closed = false;
  private cancelled = false;

  constructor(
    readonly endpoint: Endpoint,
    private readonly application: string,
  ) {}

  /** The database that the cluster's URL names: where databases and roles are made from. */
  get maintenanceDatabase(): string {
    return databaseOf(this.endpoint);
  }

  /**
   * Lends a connection to `database` for the time of `work`, waiting in turn when the budget is spent.
   * @throws connection error (exit 4) when the server cannot be reached
   * @throws `STATEMENTS_CANCELLED` (exit 130) after `cancelAll`
   */
  async use<T>(database: string, work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.lend(database);
    this.lent.add(connection);
    // It was still being opened when the others were told.
    if (this.cancelled) connection.refuseStatements();
    try {
      return await work(connection);
    } finally {
      this.lent.delete(connection);
      await this.giveBack(connection);
    }
  }

  /** Closes the idle connections to one database, so that it can be renamed, copied or dropped. */
  async leave(database: string): Promise<void> {
    const leaving = this.idle.filter((connection) => connection.database === database);
    for (const connection of leaving) {
      this.idle.splice(this.idle.indexOf(connection), 1);
      await this.discard(connection);
    }
  }

  /**
   * Cancels every statement that runs over a lent connection, and lets no other one start. The server is
   * told by SQL over a connection of its own: the protocol's cancel request would travel without TLS.
   * @throws connection error (exit 4) when the server does not answer within two seconds
   */
  async cancelAll(): Promise<void> {
    this.cancelled = true;
    for (const connection of this.lent) connection.refuseStatements();
    this.wakeNext();
    if (this.busy().length === 0) return;
    const { endpoint, maintenanceDatabase, application } = this;
    const canceller = await Connection.open(endpoint, maintenanceDatabase, application, CANCEL_PATIENCE_MS);
    try {
      await this.cancelBusy(canceller);
    } finally {
      await canceller.close();
    }
  }

  /** Again and again: a request that overtakes its statement finds an idle backend and is lost. */
  private async cancelBusy(canceller: Connection): Promise<void> {
    const end = performance.now() + CANCEL_PATIENCE_MS;
    for (let pids = this.busy(); pids.length > 0 && performance.now() < end; pids = this.busy()) {
      await canceller.rows(
        sql`select pg_cancel_backend(pid) from pg_stat_activity
          where pid = any(${pids}::int[]) and application_name = ${this.application}`,
      );
      await canceller.rows(sql`select pg_sleep(0.05)`);
    }
  }

  private busy(): number[] {
    return [...this.lent].filter(({ busy }) => busy).map(({ pid }) => pid);
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const connection of this.idle.splice(0)) await this.discard(connection);
  }

  private async lend(database: string): Promise<Connection> {
    for (;;) {
      if (this.cancelled) throw statementsCancelled();
      const ready = this.takeIdle(database);
      if (ready !== undefined) return ready;
      if (this.hasRoom(database)) return this.connect(database);
      if (this.evictIdle(database)) continue;
      await new Promise<void>((wake) => this.waiting.push({ database, wake }));
    }
  }

  private takeIdle(database: string): Connection | undefined {
    const index = this.idle.findIndex((connection) => connection.database === database);
    if (index < 0) return undefined;
    const [connection] = this.idle.splice(index, 1) as [Connection];
    if (connection.usable) return connection;
    void this.discard(connection);
    return this.takeIdle(database);
  }

  private hasRoom(database: string): boolean {
    return this.open < this.endpoint.maxConnections && this.usedIn(database) < this.endpoint.maxPerDatabase;
  }

  private usedIn(database: string): number {
    return this.openIn.get(database) ?? 0;
  }

  /** Frees a place held by the longest idle connection to another database. */
  private evictIdle(database: string): boolean {
    if (this.usedIn(database) >= this.endpoint.maxPerDatabase) return false;
    const oldest = this.idle.shift();
    if (oldest === undefined) return false;
    this.forget(oldest.database);
    void oldest.close();
    return true;
  }

  private async connect(database: string): Promise<Connection> {
    this.open += 1;
    this.openIn.set(database, this.usedIn(database) + 1);
    try {
      return await Connection.open(this.endpoint, database, this.application);
    } catch (error) {
      this.forget(database);
      this.wakeNext();
      throw error;
    }
  }

  private async giveBack(connection: Connection): Promise<void> {
    const spent = connection.touched >= SCHEMAS_PER_BACKEND;
    if (connection.usable && !spent && !this.closed) this.idle.push(connection);
    else await this.discard(connection);
    this.wakeNext();
  }

  private async discard(connection: Connection): Promise<void> {
    this.forget(connection.database);
    await connection.close();
  }

  private forget(database: string): void {
    this.open -= 1;
    const left = this.usedIn(database) - 1;
    if (left > 0) this.openIn.set(database, left);
    else this.openIn.delete(database);
  }

  /** Every waiter looks again: which of them fits depends on its database. */
  private wakeNext(): void {
    for (const { wake } of this.waiting.splice(0)) wake();
  }
}
