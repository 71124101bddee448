import pg from 'pg';
import { afterEach, beforeAll, vi } from 'vitest';
import type { Tier } from '../../../src/core/tier.js';
import { type LedgerEntry, readLedger } from '../../../src/engine/ledger/entries.js';
import { applyFresh, applyPending } from '../../../src/engine/ledger/apply.js';
import type { Migration } from '../../../src/engine/ledger/migration.js';
import { LOCAL_STATE, installOwnSchema } from '../../../src/engine/ledger/own-schema.js';
import type { MigrationTarget } from '../../../src/engine/ledger/target.js';
import type { Connection } from '../../../src/pg/connection.js';
import { sql } from '../../../src/pg/sql.js';
import { useServer } from '../../support/server.js';
import { engineSession } from '../../support/session.js';

const DATABASE = 'units';
const APP_ROLE = 'units_app';
const STRANGER = 'units_stranger';

export interface TestUnit {
  target: MigrationTarget;
  schema: string;
  /** Applies what is pending after the ledger as it is now. */
  migrate(migrations: readonly Migration[], connection?: Connection): Promise<Migration[]>;
  fill(migrations: readonly Migration[]): Promise<void>;
  /** The ledger, seen from another session. */
  ledger(): Promise<LedgerEntry[]>;
  rows<Row>(text: string, values?: unknown[]): Promise<Row[]>;
}

/** A managed database on a server of the file's own, with units that are schemas in it. Call it at the top of a file. */
export function useUnits(server = useServer()) {
  const open: { close(): Promise<unknown> }[] = [];
  let units = 0;

  const connect = async (): Promise<Connection> => {
    const connection = await engineSession(server.current, DATABASE);
    open.push(connection);
    return connection;
  };

  /** A session that knows nothing of tenantctl. */
  const outsider = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: server.current.adminUrl(DATABASE) });
    client.on('error', () => undefined);
    await client.connect();
    open.push({ close: () => client.end() });
    return client;
  };

  beforeAll(async () => {
    const admin = new pg.Client({ connectionString: server.current.adminUrl('postgres') });
    await admin.connect();
    await admin.query(`create database ${DATABASE}`);
    await admin.query(`create role ${APP_ROLE} nologin`);
    await admin.end();
    const connection = await connect();
    await installOwnSchema(connection, LOCAL_STATE, 'suite');
    await connection.close();
  });

  afterEach(async () => {
    for (const session of open.splice(0)) await session.close();
  });

  const newUnit = async (
    tier: Tier = 'schema',
    rollout: Partial<MigrationTarget['rollout']> = {},
  ): Promise<TestUnit> => {
    units += 1;
    const schema = `u${units}`;
    const client = await outsider();
    await client.query(`create schema ${schema}`);
    const target = targetOf(tier, schema, rollout);
    const rows = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
      (await client.query(text, values)).rows as Row[];
    return {
      target,
      schema,
      rows,
      async migrate(migrations, connection) {
        const used = connection ?? (await connect());
        return applyPending(used, target, migrations, await readLedger(used, target.unit));
      },
      fill: async (migrations) => applyFresh(await connect(), target, migrations),
      ledger: () =>
        rows(
          `select id, name, checksum, state, applied_at::text as "appliedAt" from tenantctl.ledger
            where unit = $1 and rolled_back_at is null order by id`,
          [target.unit.ledgerKey],
        ),
    };
  };

  /** A session of a role that the administrator is no member of. */
  const stranger = async (): Promise<pg.Client> => {
    const admin = await outsider();
    await admin.query(`create role ${STRANGER} login password '${STRANGER}'`);
    const url = new URL(server.current.adminUrl(DATABASE));
    url.username = STRANGER;
    url.password = STRANGER;
    const client = new pg.Client({ connectionString: url.href });
    client.on('error', () => undefined);
    await client.connect();
    open.push({ close: () => client.end() });
    return client;
  };

  return { connect, outsider, stranger, newUnit };
}

function targetOf(tier: Tier, schema: string, rollout: Partial<MigrationTarget['rollout']>): MigrationTarget {
  return {
    unit: {
      id: `${tier}:${schema}`,
      tier,
      shared: tier === 'pool',
      cluster: 'main',
      database: DATABASE,
      schema,
      ledgerKey: `${tier}:${schema}`,
      tenants: [],
      tenantCount: 1,
    },
    tenancy: {
      column: 'tenant_id',
      columnType: 'uuid',
      setting: 'app.tenant_id',
      appRole: APP_ROLE,
      rls: 'enforce',
      extensionsSchema: 'extensions',
      shared: [],
      names: { schema: '{id}', database: '{id}' },
    },
    rollout: {
      lockTimeoutMs: 10_000,
      blockingTimeoutMs: 30_000,
      statementTimeoutMs: 60_000,
      retries: 0,
      indexBuilds: 2,
      batchPauseMs: 0,
      ...rollout,
    },
    run: null,
    toolVersion: 'suite',
  };
}

/** Waits until a session waits for a lock, and gives its process id. */
export function sessionWaiting(observer: pg.Client, pid: number): Promise<true> {
  const text = 'select count(*)::int as waits from pg_locks where pid = $1 and not granted';
  return vi.waitUntil(async () => (await observer.query(text, [pid])).rows[0].waits > 0 || false, {
    interval: 5,
    timeout: 20_000,
  });
}

/** Waits until a session does not wait any more. */
export function sessionGoesOn(observer: pg.Client, pid: number): Promise<true> {
  const text = 'select count(*)::int as waits from pg_locks where pid = $1 and not granted';
  return vi.waitUntil(async () => (await observer.query(text, [pid])).rows[0].waits === 0 || false, {
    interval: 1,
    timeout: 20_000,
  });
}

/** Ends a session as an administrator would, and waits until its process is gone. */
export async function endSession(observer: pg.Client, pid: number): Promise<void> {
  await observer.query('select pg_terminate_backend($1, 20000)', [pid]);
}

/** The names of a unit's tables. */
export async function tablesOf(unit: TestUnit): Promise<string[]> {
  const rows = await unit.rows<{ relname: string }>(
    `select relname from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'p') order by relname`,
    [unit.schema],
  );
  return rows.map(({ relname }) => relname);
}

export const appliedIds = async (unit: TestUnit): Promise<number[]> =>
  (await unit.ledger()).filter(({ state }) => state === 'applied').map(({ id }) => id);

/** The settings that migrations change, as a session has them now. */
export function settingsOf(connection: Connection) {
  return connection.row<Record<string, string>>(sql`
    select current_setting('search_path') as search_path, current_setting('lock_timeout') as lock_timeout,
      current_setting('statement_timeout') as statement_timeout,
      coalesce(current_setting('tenantctl.scope', true), '') as scope`);
}
