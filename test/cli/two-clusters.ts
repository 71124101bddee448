import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../src/cli/main.js';
import { generateSigningKey } from '../../src/core/signature.js';
import type { LocalServer } from '../../src/embedded/server.js';
import { newFolder } from '../support/folder.js';
import { withClient } from '../support/server.js';
import { type Result, invoke, testIo } from './support.js';

const MIGRATION = `create table invoice (tenant_id uuid not null, id bigint not null, note text, primary key (tenant_id, id));
create index invoice_note_idx on invoice (tenant_id, note);`;

const TENANTS = [
  ['acme', 'schema', 'main'],
  ['beta', 'schema', 'main'],
  ['pool-one', 'pool', 'main'],
  ['corp', 'database', 'main'],
  ['euro', 'schema', 'eu'],
  ['port', 'database', 'eu'],
] as const;

/** Where nobody answers. */
const NOWHERE = 'postgresql://nobody@127.0.0.1:1/postgres';

const SIGNING_KEY = generateSigningKey();
let checkouts = 0;

/** A checkout whose fleet has two clusters, `main` and `eu`, as databases of one server: each can be away on its own. */
export interface TwoClusters {
  folder: string;
  /** The mark in the names of its databases and roles. */
  mark: string;
  /** Runs a command line in this process. */
  run(args: readonly string[], options?: { away?: boolean }): Promise<Result>;
  /** The same, with the means to send it signals. */
  start(args: readonly string[]): ReturnType<typeof testIo> & { ended: Promise<number> };
  read(file: string): string;
  write(file: string, text: string): void;
  /** Whatever SQL, as the superuser, in a database of the fleet. */
  inside(database: string, sql: string): Promise<void>;
}

export async function twoClusters(server: LocalServer): Promise<TwoClusters> {
  const folder = newFolder();
  checkouts += 1;
  const mark = `w${checkouts}w`;
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  const cluster = (name: string) => ({
    url: `\${${name.toUpperCase()}_URL}`,
    pools: { [`shared_${name}`]: { database: `${name}_${mark}`, schema: 'app' } },
  });
  mkdirSync(join(folder, 'migrations'));
  write('migrations/0001_invoice.sql', MIGRATION);
  write(
    'tenantctl.config.json',
    JSON.stringify({
      catalog: { url: '${CATALOG_URL}' },
      clusters: { main: cluster('main'), eu: cluster('eu') },
      tenancy: { appRole: `app_${mark}`, names: { schema: `s_${mark}_{id}`, database: `d_${mark}_{id}` } },
    }),
  );
  const env = (away: boolean) => ({
    CATALOG_URL: server.adminUrl(`catalog_${mark}`),
    MAIN_URL: server.adminUrl('postgres'),
    EU_URL: away ? NOWHERE : server.adminUrl('postgres'),
    TENANTCTL_SIGNING_KEY: SIGNING_KEY,
    CI: '1',
  });
  const made: TwoClusters = {
    folder,
    mark,
    run: (args, { away = false } = {}) => invoke(args, { cwd: folder, env: env(away) }),
    start(args) {
      const world = testIo({ cwd: folder, env: env(false) });
      return { ...world, ended: run(args, world.io) };
    },
    read: (file) => readFileSync(join(folder, file), 'utf8'),
    write,
    inside: (database, sql) =>
      withClient(server.superuserUrl(database), async (client) => void (await client.query(sql))),
  };
  await well(made.run(['init', '--yes']));
  for (const [id, tier, where] of TENANTS)
    await well(made.run(['provision', id, '--tier', tier, '--cluster', where]));
  return made;
}

async function well(running: Promise<Result>): Promise<void> {
  const { code, stderr, stdout } = await running;
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}${stdout}`);
}
