import { join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import type { Tenant } from '../../src/core/tenant.js';
import { numbered, writeFiles } from '../engine/ledger/directory.js';
import { Project } from '../kill/project.js';
import { type Ran, json } from '../support/cli.js';
import { newFolder } from '../support/folder.js';
import { query, useServer } from '../support/server.js';

const server = useServer();
/** Each test starts the program several times. */
vi.setConfig({ testTimeout: 90_000 });
let project: Project;
let folder: string;

const PRODUCT = [
  `create table customer (tenant_id uuid not null, id bigint generated always as identity, name text, primary key (tenant_id, id));`,
];
const SEED = `insert into customer (name) select 'Customer ' || n from generate_series(1, 40) n;`;

beforeAll(async () => {
  const migrations = newFolder();
  writeFiles(migrations, { ...numbered(...PRODUCT), 'seed.txt': SEED });
  project = await new Project(server.current, { migrations, seed: join(migrations, 'seed.txt') }).install();
  await project.do('provision', 'acme', '--plan', 'free');
  folder = join(project.folder, 'exports', 'acme');
  await project.do('export', 'acme', '--out', folder);
});

const errorOf = (ran: Ran) => json(ran).error;

async function wipe(id: string): Promise<void> {
  const { data } = json<{ tenant: Tenant }>(await project.do('show', id, '--json'));
  const { database, schema, key } = data.tenant;
  await query(
    server.current.superuserUrl(database),
    `delete from "${schema}".customer where tenant_id = $1 and id > 5`,
    [key],
  );
}

it('prints its plan as numbered steps, and does nothing', async () => {
  const { stdout } = await project.do('restore', folder, '--as', 'planned', '--tier', 'schema', '--dry-run');
  expect(stdout).toMatch(/1\. .*take the export of tenant acme/);
  expect(stdout).toMatch(/40 rows of 1 tables?: customer 40/);
  expect(await project.statuses()).not.toHaveProperty('planned');
});

it('says what came, for people and as JSON', async () => {
  const { stdout } = await project.do(
    'restore',
    folder,
    '--as',
    'beside',
    '--plan',
    'free',
    '--label',
    'ring=b',
  );
  expect(stdout).toContain('ok beside restored in');
  expect(stdout).toContain('40 rows in 1 table, count and hash of each as in the export');
  const again = json<Record<string, unknown>>(
    await project.do('restore', folder, '--as', 'beside', '--json'),
  );
  expect(again.data).toMatchObject({
    tenant: { id: 'beside', status: 'active', tier: 'pool', labels: { ring: 'b' } },
    rows: 40,
    tables: [{ table: 'customer', rows: 40 }],
    verified: true,
    restored: false,
  });
});

it('asks before rows are replaced, and not before a tenant is made', async () => {
  await project.do('restore', folder, '--as', 'wiped', '--plan', 'pro');
  await wipe('wiped');
  const call = ['restore', folder, '--into', 'wiped', '--replace', '--json'];
  const unasked = await project.run(...call);
  expect([unasked.code, errorOf(unasked)?.code]).toEqual([2, 'CONFIRMATION_NEEDED']);
  const wrong = await project.run(...call, '--confirm', 'beside', '--yes');
  expect([wrong.code, errorOf(wrong)?.code]).toEqual([2, 'CONFIRMATION_WRONG']);
  const { plan } = json<{ plan: { steps: string[] } }>(await project.do(...call, '--dry-run')).data;
  expect(plan.steps.join('\n')).toContain(`${folder}-replaced-wiped`);
  const done = json(await project.do(...call, '--confirm', 'wiped')).data;
  expect(done).toMatchObject({
    rows: 40,
    replaced: true,
    verified: true,
    backup: { directory: `${folder}-replaced-wiped`, rows: 5 },
  });
  await project.do('export', 'verify', `${folder}-replaced-wiped`);
});

it.each([
  [['--replace']],
  [['--into', 'acme']],
  [['--into', 'acme', '--replace', '--as', 'other', '--yes']],
  [['--into', 'acme', '--replace', '--tier', 'pool', '--yes']],
  [['--as', 'other', '--backup', 'x']],
])('%j is a usage error, and changes nothing', async (options) => {
  const ran = await project.run('restore', folder, ...options, '--json');
  expect([ran.code, errorOf(ran)?.code]).toEqual([2, 'RESTORE_USAGE']);
});

it('refuses what is no export, and a tenant that is there', async () => {
  const none = await project.run('restore', project.folder, '--as', 'x', '--tier', 'pool', '--json');
  expect([none.code, errorOf(none)?.code]).toEqual([2, 'EXPORT_NOT_A_BAG']);
  const taken = await project.run('restore', folder, '--tier', 'pool', '--json');
  expect([taken.code, errorOf(taken)?.code]).toEqual([5, 'TENANT_EXISTS']);
  expect(errorOf(taken)?.hint).toContain('--as acme-restored');
});
