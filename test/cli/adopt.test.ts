import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { rememberSecret } from '../../src/core/redact.js';
import type { AdoptReport } from '../../src/operations/adopt/report.js';
import { installFleet } from '../../src/operations/install.js';
import { dbmateDirectory } from '../operations/adopt/legacy.js';
import { withFleet } from '../operations/provision-support.js';
import { json, tenantctl } from '../support/cli.js';
import { fleetSettings } from '../support/fleet.js';
import { newFolder } from '../support/folder.js';
import { useServer, withClient } from '../support/server.js';
import { type Result, document, invoke } from './support.js';

const server = useServer();
const DATABASE = 'legacy';
const HOSTILE = ['tenant_acme', 'tenant_a,b', 'tenant_say "hi"', 'tenant_line\nbreak', 'tenant_北京'];
const HEADER = 'id,tier,cluster,database,schema,tenantKey,plan';
const FIRST =
  'create table customer (id bigint generated always as identity primary key, name text not null)';
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

let circumstances: { cwd: string; env: Record<string, string> };

/** A folder with a configuration, and a database whose schemas another tool has migrated. */
beforeAll(async () => {
  const cwd = newFolder();
  const env = {
    CATALOG_URL: server.current.adminUrl('catalog'),
    MAIN_URL: server.current.adminUrl('postgres'),
  };
  const config = {
    catalog: { url: '${CATALOG_URL}' },
    clusters: { main: { url: '${MAIN_URL}', schemas: { database: DATABASE } } },
    migrations: {
      directory: dbmateDirectory({ '20240101000000_customer.sql': `${FIRST};` }),
      format: 'dbmate',
    },
    plans: { pro: { tier: 'schema' } },
  };
  writeFileSync(join(cwd, 'tenantctl.config.json'), JSON.stringify(config));
  circumstances = { cwd, env };
  const settings = { ...fleetSettings(server.current, 0), catalogUrl: env.CATALOG_URL };
  await withFleet(settings, {}, installFleet);
  await run('postgres', `create database ${DATABASE}`);
  await run(DATABASE, ...[...HOSTILE, 'fleetword'].map(migrated));
});

/** A schema as dbmate leaves it. */
function migrated(schema: string): string {
  return `create schema ${quoted(schema)}; set search_path = ${quoted(schema)}; ${FIRST};
    create table schema_migrations (version varchar primary key); insert into schema_migrations values ('20240101000000')`;
}

async function run(database: string, ...statements: string[]): Promise<void> {
  await withClient(server.current.adminUrl(database), async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

const adopt = (args: string[], input?: string): Promise<Result> =>
  invoke(['adopt', ...args], { ...circumstances, ...(input === undefined ? {} : { input }) });

const dataOf = <Data = AdoptReport>(result: Result) => document(result).data as Data;

describe('a list of what is there', () => {
  it('with --json is one document, whose units are a list again, one a line', async () => {
    const { units } = dataOf<{ units: { id: string }[] }>(await adopt(['--discover', '--json']));
    expect(units).toContainEqual(
      expect.objectContaining({ id: 'acme', tier: 'schema', schema: 'tenant_acme', tenantKey: null }),
    );
    const lines = units.map((unit) => JSON.stringify(unit)).join('\n');
    const taken = await adopt(['--from', '-', '--dry-run', '--json'], lines);
    expect(dataOf(taken)).toMatchObject({ adopted: HOSTILE.length, problems: [] });
  });

  it('goes to a file with --out, or is refused before anything is looked at', async () => {
    const { code, stdout, stderr } = await adopt([
      '--discover',
      '--schemas',
      'tenant_acme',
      '--out',
      'fleet.csv',
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('tenantctl adopt --from fleet.csv --dry-run');
    expect(readFileSync(join(circumstances.cwd, 'fleet.csv'), 'utf8')).toBe(
      `${HEADER}\ntenant_acme,schema,main,${DATABASE},tenant_acme,,\n`,
    );
    const refused = await adopt(['--discover', '--out', 'nowhere/fleet.csv']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('--out: cannot write nowhere/fleet.csv');
    expect(existsSync(join(circumstances.cwd, 'nowhere'))).toBe(false);
  });

  it('is whole but for a database that refuses connections, which is named; exit 7', async () => {
    await run('postgres', 'create database crm_a', 'create database crm_b allow_connections false');
    const { code, stdout, stderr } = await adopt(['--discover', '--databases', 'crm_%']);
    expect(code).toBe(7);
    expect(stdout).toBe(`${HEADER}\na,database,main,crm_a,public,,\n`);
    expect(stderr).toContain('warning: main/crm_b: Cannot connect');
    expect(stderr).toContain('error: The list is not whole: there is 1 problem.');
  });

  it('keeps a name that happens to be a password as well', async () => {
    rememberSecret('fleetword');
    const { stdout } = await adopt(['--discover', '--schemas', 'fleetword']);
    expect(stdout).toContain('\nfleetword,schema,main,');
  });
});

describe('what contradicts itself', () => {
  it.each([
    [[], '--discover or --from is needed'],
    [['--discover', '--from', 'x.csv'], '--discover and --from exclude each other'],
    [['--discover', '--dual-write'], '--dual-write goes with --from only'],
    [['--discover', '--ledger', 'flyway'], '--ledger goes with --from only'],
    [['--discover', '--accept', 'a1b2c3d4'], '--accept goes with --from only'],
    [['--from', 'x.csv', '--schemas', 'a%'], '--schemas goes with --discover only'],
    [['--from', 'x.csv', '--out', 'y.csv'], '--out goes with --discover only'],
    [['--from', 'x.csv', '--accept', 'all'], '--accept: "all" is no shape'],
    [['--from', 'x.csv', '--ledger', 'liquibase'], '--ledger: "liquibase"'],
    [['--from', 'missing.csv'], '--from: cannot read missing.csv'],
    [['--discover', '--schemas', 'a\\'], 'is not a pattern of LIKE'],
  ])('is refused with exit 2: %j', async (args, message) => {
    const { code, stdout, stderr } = await adopt(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});

describe('taking a list in', () => {
  it('changes nothing on a dry run', async () => {
    const { stdout: list } = await adopt(['--discover']);
    const first = await adopt(['--from', '-', '--dry-run'], list);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/current +5 +5 +it has every file/);
    expect(first.stdout).toContain('Nothing was changed.');
    expect((await adopt(['--discover'])).stdout).toBe(list);
  });

  it('works through a pipe of the program with itself; then nothing is left to find', async () => {
    const found = await tenantctl(['adopt', '--discover', '--schemas', 'tenant\\_%'], circumstances);
    expect(found.code).toBe(0);
    expect(found.stdout.startsWith(`${HEADER}\n`)).toBe(true);
    expect(found.stderr).toMatch(
      /^Found 5 tenants: 5 in schemas of their own\..*adopt --from <file> --dry-run\n$/,
    );
    const input = found.stdout;
    const taken = await tenantctl(['adopt', '--from', '-', '--json'], { ...circumstances, input });
    const { ok, data } = json<AdoptReport>(taken);
    expect([ok, data.adopted, data.refused, data.problems]).toEqual([true, HOSTILE.length, [], []]);
    expect(data.units.map(({ schema }) => schema).toSorted()).toEqual(HOSTILE.toSorted());
    const again = await adopt(['--discover', '--schemas', 'tenant\\_%']);
    expect(again.stdout).toBe(`${HEADER}\n`);
    expect(again.stderr).toContain('Nothing was found that is not under management already');
  });

  it('names rows that are wrong by their line, keeps the others, and ends with exit 7', async () => {
    const rows = [
      'id,tier,schema,plan',
      'acme,schema,tenant_acme,',
      'a-b,schema,"tenant_a,b",',
      'Bad,schema,x,',
      'beta,schema,tenant_acme,',
      ',,,',
    ];
    writeFileSync(join(circumstances.cwd, 'fleet.csv'), rows.join('\n'));
    const ran = await adopt(['--from', 'fleet.csv']);
    expect(ran.code).toBe(7);
    expect(ran.stdout).toContain('2 under management already');
    expect(ran.stdout).toContain('line 4 Bad: "Bad" is not a tenant id');
    expect(ran.stdout).toContain(
      'line 5 beta: main/legacy.tenant_acme is listed twice: in line 2 and in line 5',
    );
    expect(ran.stdout).toContain('line 6: it has no id');
    expect(ran.stdout).toContain('tenantctl migrate --dry-run');
    expect(ran.stderr).toContain('error: Not everything was taken in: 3 rows of fleet.csv cannot be read.');
    const dry = await adopt(['--from', 'fleet.csv', '--dry-run']);
    expect(dry.stderr).toContain(
      'error: Not everything would be taken in: 3 rows of fleet.csv cannot be read.',
    );
    expect(dry.stderr).not.toContain('stays as it is');
    const { ok, error, data } = document(await adopt(['--from', 'fleet.csv', '--json']));
    expect({ ok, error, data }).toMatchObject({
      ok: false,
      error: { code: 'ADOPT_PARTIAL', exit: 7 },
      data: { existing: 2, refused: [] },
    });
  });
});
