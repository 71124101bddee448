import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach } from 'vitest';
import type { LocalServer } from '../../../../src/embedded/server.js';
import { findLedgers } from '../../../../src/engine/adoption/find-ledgers.js';
import { digestLedgers, readLedgerRows } from '../../../../src/engine/adoption/read-ledgers.js';
import type { MigrationFormatName } from '../../../../src/core/settings.js';
import type { MigrationFile } from '../../../../src/engine/formats/format.js';
import {
  type Judgement,
  type LedgerRow,
  type MirrorChange,
  type MirrorRow,
  NEXT,
  type ToolLedger,
} from '../../../../src/engine/formats/ledgers/ledger.js';
import { readMigrationFiles } from '../../../../src/engine/formats/registry.js';
import { query, useServer } from '../../../support/server.js';
import { engineSession } from '../../../support/session.js';
import { directoryOf } from '../../ledger/directory.js';

/** A database with one schema, as another tool's user has it. */
export interface ToolUnit {
  database: string;
  schema: string;
  /** The administrator's, with the schema alone on the search path. */
  client: pg.Client;
  /** The same by URL, for a tool of its own process. */
  url: string;
  /** The rows that a reader asks for, as the tool left them. */
  rows(ledger: ToolLedger): Promise<LedgerRow[]>;
  /** Writes what a mirror says. */
  write(ledger: ToolLedger, change: MirrorChange | null): Promise<void>;
  /** Is the lock that a reader names free, seen from another session? */
  lockIsFree(ledger: ToolLedger): Promise<boolean>;
  tables(): Promise<string[]>;
}

/** Units for the tools themselves to migrate. Call it at the top of a file. */
export function useToolUnits(): () => Promise<ToolUnit> {
  const server = useServer();
  const open: pg.Client[] = [];
  let units = 0;

  const connect = async (url: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    open.push(client);
    return client;
  };

  afterEach(async () => {
    for (const client of open.splice(0)) await client.end();
  });

  return async () => {
    units += 1;
    const [database, schema] = [`unit_${units}`, 'tenant_a'];
    await query(server.current.adminUrl('postgres'), `create database ${database}`);
    const client = await connect(server.current.adminUrl(database));
    await client.query(`create schema ${schema}`);
    await client.query(`set search_path to ${schema}`);
    const url = new URL(server.current.adminUrl(database));
    url.searchParams.set('options', `-csearch_path=${schema}`);
    const placeOf = (ledger: ToolLedger): string => `"${ledger.schema ?? schema}"`;
    return {
      database,
      schema,
      client,
      url: url.href,
      rows: (ledger) => readRows(server.current, database, ledger),
      write: (ledger, change) => write(client, ledger, placeOf(ledger), change),
      async lockIsFree(ledger) {
        const key = ledger.lockKey(
          { tool: ledger.tool, schema: ledger.schema ?? schema, table: ledger.table },
          database,
        );
        const observer = await connect(server.current.adminUrl(database));
        const { rows } = await observer.query('select pg_try_advisory_lock($1) as free', [String(key)]);
        return rows[0].free;
      },
      async tables() {
        const { rows } = await client.query(
          `select tablename from pg_tables where schemaname = $1 order by 1`,
          [schema],
        );
        return rows.map(({ tablename }) => tablename);
      },
    };
  };
}

async function columnsOf(client: pg.Client, table: string): Promise<string[]> {
  const { rows } = await client.query(
    'select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped',
    [table],
  );
  return rows.map(({ attname }) => attname);
}

/** As `adopt` finds and reads it. */
async function readRows(server: LocalServer, database: string, ledger: ToolLedger): Promise<LedgerRow[]> {
  const connection = await engineSession(server, database);
  try {
    const { found } = await findLedgers(connection, []);
    const its = found.filter(({ ledger: { tool } }) => tool === ledger.tool);
    const digests = await digestLedgers(connection, its);
    const [rows] = (await readLedgerRows(connection, digests)).values();
    if (rows === undefined) throw new Error(`no table of ${ledger.tool} is found in ${database}`);
    return [...rows];
  } finally {
    await connection.close();
  }
}

async function write(client: pg.Client, ledger: ToolLedger, schema: string, change: MirrorChange | null) {
  if (change === null) throw new Error('the mirror cannot tell the row');
  const tableOf = (row: MirrorRow) => `${schema}."${row.table ?? ledger.table}"`;
  for (const row of change.remove) {
    const entries = Object.entries(row.values);
    const where = entries.map(([column], n) => `"${column}" is not distinct from $${n + 1}`);
    const condition = where.length === 0 ? '' : `where ${where.join(' and ')}`;
    await client.query(
      `delete from ${tableOf(row)} ${condition}`,
      entries.map(([, value]) => value),
    );
  }
  for (const row of change.insert) await insert(client, tableOf(row), row);
}

async function insert(client: pg.Client, table: string, row: MirrorRow): Promise<void> {
  const there = await columnsOf(client, table);
  const entries = Object.entries(row.values).filter(
    ([column]) => there.includes(column) || !row.newer?.includes(column),
  );
  const given: unknown[] = [];
  const values = entries.map(([column, value]) => {
    if (value === NEXT) return `(select coalesce(max("${column}"), 0) + 1 from ${table})`;
    given.push(value);
    return `$${given.length}`;
  });
  const names = entries.map(([column]) => `"${column}"`);
  await client.query(`insert into ${table} (${names.join(', ')}) values (${values.join(', ')})`, given);
}

/** The files of a directory with these texts, as the tool reads them. */
export function filesOf(
  format: MigrationFormatName,
  texts: Record<string, string>,
): Promise<MigrationFile[]> {
  return readMigrationFiles({ directory: directoryOf(texts), format });
}

/** What a judgement says, short enough to compare. */
export function saidOf({ applied, problems }: Judgement) {
  return { applied, problems: problems.map(({ kind, message }) => `${kind}: ${message}`) };
}

/** Runs a tool that npm has installed; what it printed. */
export async function npx(
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const file = path.resolve('node_modules', '.bin', name);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file, ...args], {
    env: { ...process.env, ...env },
  });
  return stdout + stderr;
}
