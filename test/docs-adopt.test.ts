import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { UNIT_STATES } from '../src/operations/adopt/report.js';
import { LIST_COLUMNS } from '../src/operations/adopt/list/columns.js';
import { newFolder } from './support/folder.js';
import { ROOT, codeBlocks, readPage } from './support/pages.js';
import { useServer, withClient } from './support/server.js';
import { type BlockRun, pasteInto } from './support/shell.js';

const server = useServer();
const page = readPage('docs/how-to/adopt-a-fleet.md');
const pasted = codeBlocks(page).filter(({ info }) => info === 'sh walkthrough');
const FIRST = 'create table customer (id bigint primary key, name text not null);';
let runs: BlockRun[] = [];

/** A fleet as dbmate leaves it: two tenants in schemas of one database. */
beforeAll(async () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'migrations'));
  writeFileSync(
    join(folder, 'migrations/20240101000000_customer.sql'),
    `-- migrate:up\n${FIRST}\n-- migrate:down\ndrop table customer;\n`,
  );
  const inside = (database: string, text: string) =>
    withClient(server.current.adminUrl(database), (client) => client.query(text));
  await inside('postgres', 'create database app');
  for (const schema of ['tenant_acme', 'tenant_Beta.Corp'])
    await inside(
      'app',
      `create schema "${schema}"; set search_path = "${schema}"; ${FIRST}
       create table schema_migrations (version varchar primary key); insert into schema_migrations values ('20240101000000')`,
    );
  const env = {
    ...process.env,
    MAIN_URL: server.current.adminUrl('postgres'),
    CATALOG_URL: server.current.adminUrl('catalog'),
  };
  const name = `tenantctl() { node ${ROOT}bin/tenantctl.js "$@"; }`;
  runs = await pasteInto({ cwd: folder, env }, [name, ...pasted.map(({ text }) => text)]);
}, 120_000);

const said = (command: string): BlockRun => {
  const at = pasted.findIndex(({ text }) => text.includes(command));
  return runs[at + 1] ?? { output: `no block has ${command}`, status: -1 };
};

describe('the first day with an existing fleet, pasted block by block', () => {
  it('works from the configuration to the first plan of a migration', () => {
    expect(pasted.length).toBe(5);
    expect(runs.slice(1).map(({ status, output }) => (status === 0 ? 0 : output))).toEqual([0, 0, 0, 0, 0]);
  });

  it('lists what the page shows', () => {
    const shown = codeBlocks(page).find(({ text }) => text.startsWith('id,tier,'))?.text ?? '';
    expect(shown).toContain('beta-corp');
    const rows = said('--discover').output.split('\n');
    for (const row of shown.trim().split('\n')) expect(rows).toContain(row);
  });

  it('takes the fleet in, and has nothing to migrate', () => {
    expect(said('--dry-run').output).toContain('2 units (2 tenants) to take in');
    expect(said('tenantctl status').output).toContain('ok 2 units (2 tenants) taken in');
    expect(said('tenantctl migrate').output).toContain('2 units already there');
  });
});

it('the page explains every state and every column', () => {
  for (const state of UNIT_STATES) expect(page.text).toContain(`| \`${state}\``);
  for (const column of LIST_COLUMNS) expect(page.text).toContain(`| \`${column}\``);
});
