import pg from 'pg';
import { afterEach, expect } from 'vitest';
import type { ToolLedgerPlace } from '../../../../src/core/adoption.js';
import type { LocalServer } from '../../../../src/embedded/server.js';
import { findLedgers } from '../../../../src/engine/adoption/find-ledgers.js';
import { digestLedgers, readLedgerRows } from '../../../../src/engine/adoption/read-ledgers.js';
import type { MigrationFormatName } from '../../../../src/core/settings.js';
import type { MigrationFile } from '../../../../src/engine/formats/format.js';
import type { Judgement, LedgerRow, ToolLedger } from '../../../../src/engine/formats/ledgers/ledger.js';
import type { Migration } from '../../../../src/engine/ledger/migration.js';
import { mirrorStatements } from '../../../../src/engine/ledger/mirror.js';
import type { MigrationUnit } from '../../../../src/core/unit.js';
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
  /** Writes what `migrate --dual-write` does for an applied file. */
  apply(ledger: ToolLedger, file: MigrationFile): Promise<void>;
  /** The same for one that is taken back; `before` is the newest that stays. */
  takeBack(ledger: ToolLedger, file: MigrationFile, before: MigrationFile | null): Promise<void>;
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
    const placeOf = ({ tool, schema: own, table }: ToolLedger): ToolLedgerPlace => ({
      tool,
      schema: own ?? schema,
      table,
    });
    const runAll = async (statements: readonly string[]): Promise<void> => {
      expect(statements).not.toEqual([]);
      for (const statement of statements) await client.query(statement);
    };
    return {
      database,
      schema,
      client,
      url: url.href,
      rows: (ledger) => readRows(server.current, database, ledger),
      apply: (ledger, file) => runAll(statementsFor(placeOf(ledger), file)),
      takeBack: (ledger, file, before) => runAll(statementsFor(placeOf(ledger), takenBack(file, before))),
      async lockIsFree(ledger) {
        const key = ledger.lockKey(placeOf(ledger), database);
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

/** The statements that a run adds to the transaction of a file with `--dual-write`. */
function statementsFor(
  ledger: ToolLedgerPlace,
  migration: Pick<Migration, 'undoes'> | MigrationFile,
): string[] {
  const unit = { tier: 'schema', adopted: { owner: null, ledger, dualWrite: true } } as MigrationUnit;
  return mirrorStatements(unit, migration as Migration).map((statement) => statement.text());
}

function takenBack(file: MigrationFile, before: MigrationFile | null): Pick<Migration, 'undoes'> {
  const earlier = before === null ? [] : [{ ...before, directives: { tiers: ['schema'] } }];
  return { undoes: { file, earlier } } as unknown as Pick<Migration, 'undoes'>;
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
