import type { Duplex } from 'node:stream';
import pg from 'pg';
import {
  type CopyStreamQuery,
  type CopyToStreamQuery,
  from as copyFrom,
  to as copyTo,
} from 'pg-copy-streams';
import { EXIT, refusedError, TenantctlError } from '../core/errors.js';
import { redact } from '../core/redact.js';
import { type Endpoint, clientConfig, describeEndpoint } from './endpoint.js';
import { connectionFailure, isConnectionLoss } from './errors.js';
import { makeScramCheap } from './scram-login.js';
import { type Sql, raw, script } from './sql.js';

const CONNECT_TIMEOUT_MS = 10_000;

makeScramCheap();

/**
 * What every session of ours starts with, whatever the database's own defaults are. Values are set here and not as
 * start-up parameters, which poolers refuse. The keepalives let the server notice a vanished client within seconds.
 */
const SESSION = `
  set search_path = pg_catalog;
  set timezone = 'UTC';
  set default_transaction_isolation = 'read committed';
  set client_min_messages = error;
  set statement_timeout = '15min';
  set idle_in_transaction_session_timeout = '5min';
  set idle_session_timeout = 0;
  set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
  select pg_backend_pid() as pid, current_setting('server_version_num')::int as version, session_user as "user"`;

/** One result of a message of several statements. */
export interface MessageResult {
  command: string;
  rowCount: number;
  rows: Record<string, unknown>[];
}

/** One session with one database. Statements go one after the other, never two at once. */
export class Connection {
  /** Schemas this backend has touched: its caches only grow (about 155 KB each), so it is recycled. */
  touched = 0;
  private lost = false;
  private refusing = false;
  private running = 0;

  private constructor(
    private readonly client: pg.Client,
    readonly server: string,
    readonly database: string,
    readonly version: number,
    readonly user: string,
    readonly pid: number,
  ) {
    client.on('error', () => (this.lost = true));
    client.on('end', () => (this.lost = true));
  }

  /**
   * Connects and sets the session up.
   * @param patience milliseconds within which the server must have answered
   * @throws connection error (exit 4) naming host, port and database, never the password
   * @throws refusal `POOLED_CONNECTION` (exit 6) when the session is not our own backend
   */
  static async open(
    endpoint: Endpoint,
    database: string,
    application: string,
    patience = CONNECT_TIMEOUT_MS,
  ): Promise<Connection> {
    const server = describeEndpoint(endpoint);
    const client = new pg.Client({
      ...clientConfig(endpoint, database),
      application_name: application,
      connectionTimeoutMillis: patience,
      keepAlive: true,
    });
    client.on('error', ignoreBeforeReady);
    try {
      await client.connect();
      const results = (await client.query(SESSION)) as unknown as pg.QueryResult[];
      const row = results.at(-1)?.rows[0] as { pid: number; version: number; user: string };
      await refusePooler(client, row.pid, server);
      return new Connection(client, server, database, row.version, row.user, row.pid);
    } catch (error) {
      await client.end().catch(() => undefined);
      if (error instanceof Error && 'exit' in error) throw error;
      throw connectionFailure(server, database, error);
    }
  }

  get usable(): boolean {
    return !this.lost && !this.refusing;
  }

  /** Whether the server is at work for this session. */
  get busy(): boolean {
    return this.running > 0 && !this.lost;
  }

  /** Sends nothing more: statements fail with `STATEMENTS_CANCELLED` (exit 130), and the session is not used again. */
  refuseStatements(): void {
    this.refusing = true;
  }

  /** Runs one statement and gives its rows. */
  async rows<Row = Record<string, unknown>>(statement: Sql): Promise<Row[]> {
    return (await this.run(statement)).rows as Row[];
  }

  /** Runs one statement and gives its only row, or undefined. */
  async row<Row = Record<string, unknown>>(statement: Sql): Promise<Row | undefined> {
    return (await this.rows<Row>(statement))[0];
  }

  /** Runs one statement and gives the number of rows it touched. */
  async execute(statement: Sql): Promise<number> {
    return (await this.run(statement)).rowCount ?? 0;
  }

  /**
   * Sends several statements in one round trip. The driver reports only the error of a failed
   * message; the statements that completed before it are counted on the wire.
   */
  async message(text: string): Promise<MessageResult[]> {
    let statements = 0;
    const count = () => (statements += 1);
    const wire = (this.client as unknown as { connection: NodeJS.EventEmitter }).connection;
    wire.on('commandComplete', count);
    try {
      const results = (await this.send(text)) as unknown as MessageResult | MessageResult[];
      return Array.isArray(results) ? results : [results];
    } catch (error) {
      completedStatements.set(error as object, statements);
      throw this.translate(error);
    } finally {
      wire.off('commandComplete', count);
    }
  }

  /**
   * Runs `work` in a transaction; a throw rolls it back. A COMMIT that answers ROLLBACK is a failure.
   * @param begin the statements that open it, when there are more than BEGIN
   */
  async transaction<T>(work: () => Promise<T>, begin = 'begin'): Promise<T> {
    try {
      await this.run(raw(begin));
      const result = await work();
      await this.commit();
      return result;
    } catch (error) {
      if (this.usable) await this.rollback();
      throw error;
    }
  }

  /**
   * Runs statements in one transaction and one round trip. Their values travel as quoted literals.
   * A failure leaves nothing and the session ready for more.
   */
  async atomically(statements: readonly Sql[]): Promise<MessageResult[]> {
    const text = script([raw('begin'), ...statements, raw('commit')]);
    try {
      const results = await this.message(text);
      assertCommitted(results.at(-1)?.command);
      return results.slice(1, -1);
    } catch (error) {
      if (this.usable) await this.rollback();
      throw error;
    }
  }

  /** The stream of a `COPY … TO STDOUT`. Nothing else is sent until it has ended. */
  copyOut(text: string): CopyToStreamQuery {
    if (this.refusing) throw statementsCancelled();
    return this.client.query(copyTo(text));
  }

  /** The stream of a `COPY … FROM STDIN`; its `rowCount` stands when it has finished. */
  copyIn(text: string): CopyStreamQuery {
    if (this.refusing) throw statementsCancelled();
    return this.client.query(copyFrom(text));
  }

  /** Ends a failed transaction; a session that cannot even do that is not used again. */
  async rollback(): Promise<void> {
    await this.client.query('ROLLBACK').catch(() => (this.lost = true));
  }

  /** Lets this session end when it is given back, because it is no longer as it was lent. */
  retire(): void {
    this.touched = Infinity;
  }

  /** Ends the session at once and without a word, in the midst of what the server is sending. */
  abandon(): void {
    this.lost = true;
    (this.client as unknown as { connection: { stream: Duplex } }).connection.stream.destroy();
  }

  async close(): Promise<void> {
    this.lost = true;
    await this.client.end().catch(() => undefined);
  }

  private async commit(): Promise<void> {
    const { command } = await this.run(raw('COMMIT'));
    if (command !== 'COMMIT')
      throw new Error(`the transaction was not committed: the server answered ${command}`);
  }

  private async run(statement: Sql): Promise<pg.QueryResult> {
    try {
      return await this.send(statement.query());
    } catch (error) {
      throw this.translate(error);
    }
  }

  private async send(query: string | pg.QueryConfig): Promise<pg.QueryResult> {
    if (this.refusing) throw statementsCancelled();
    this.running += 1;
    try {
      return await this.client.query(query);
    } finally {
      this.running -= 1;
    }
  }

  /** An error of the driver as one of ours where the connection is lost. */
  translate(error: unknown): unknown {
    if (!isConnectionLoss(error)) return error;
    this.lost = true;
    return connectionFailure(this.server, this.database, error);
  }
}

/** What every further statement meets once this process has cancelled those that ran. */
export function statementsCancelled(): TenantctlError {
  return new TenantctlError(
    'STATEMENTS_CANCELLED',
    EXIT.interrupted,
    'What was running on the servers was cancelled, and nothing more is sent.',
    { hint: 'The same command again goes on where this one stopped.' },
  );
}

/** The COMMIT of a failed transaction is no error for the server: it answers ROLLBACK. */
function assertCommitted(command: string | undefined): void {
  if (command === 'COMMIT') return;
  throw new Error(`the transaction was not committed: the server answered ${command ?? 'nothing'}`);
}

const completedStatements = new WeakMap<object, number>();

/** How many statements of a failed message had completed. */
export function statementsCompletedBefore(error: unknown): number {
  return typeof error === 'object' && error !== null ? (completedStatements.get(error) ?? 0) : 0;
}

function ignoreBeforeReady(): void {
  // connect() and query() reject as well; without a listener the process would end instead.
}

/**
 * A pooler that shares backends between transactions loses session locks and settings. It is known
 * by a process id, given at start-up, that is not the backend's own.
 */
async function refusePooler(client: pg.Client, backend: number, server: string): Promise<void> {
  const announced = (client as unknown as { processID: number | null }).processID;
  if (announced === null || announced === backend) return;
  throw refusedError('POOLED_CONNECTION', `${redact(server)} answers through a connection pooler.`, {
    hint: "Give the cluster's direct URL as `url`, and the pooler as `app: { host, port }`: administration needs sessions of its own.",
    facts: { server },
  });
}
