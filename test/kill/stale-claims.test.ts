import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Finding } from '../../src/core/finding.js';
import { directoryOf, numbered, writeFiles } from '../engine/ledger/directory.js';
import { json } from '../support/cli.js';
import { newFolder } from '../support/folder.js';
import { query, useServer, withClient } from '../support/server.js';
import { Project } from './project.js';

const server = useServer();

const outside = <Row extends object>(text: string) =>
  query<Row & object>(server.current.superuserUrl('postgres'), text);

async function projectWith(migrations: string): Promise<Project> {
  const seed = join(newFolder(), 'seed.sql');
  writeFileSync(seed, 'select 1;');
  return new Project(server.current, { migrations, seed }).install();
}

/** What the doctor says now: `rule where`. */
async function told(project: Project): Promise<Finding[]> {
  return json<{ findings: Finding[] }>(await project.run('doctor', '--json')).data.findings;
}

const rulesOf = (findings: readonly Finding[]) => findings.map(({ rule }) => rule).toSorted();

const OURS = `from pg_stat_activity where application_name like 'tenantctl/%'`;

it('a claim on a unit outlives its killed process and its aborted run; the doctor tells it until `migrate` has gone on', async () => {
  const table = 'create table item (tenant_id uuid not null, id int not null, primary key (tenant_id, id));';
  const migrations = directoryOf(numbered(table));
  const project = await projectWith(migrations);
  await project.do(...project.provisionArgs('schema'));
  expect(await told(project)).toEqual([]);
  const index = 'create index concurrently item_index on item (tenant_id, id);';
  writeFiles(migrations, { '0002_index.sql': `-- tenantctl: no-transaction\n${index}` });

  await withClient(server.current.superuserUrl(`app_${project.mark}`), async (client) => {
    await client.query(`begin; lock table "s_${project.mark}_acme".item in row exclusive mode`);
    const running = project.launch('migrate');
    while ((await outside(`select ${OURS} and wait_event_type = 'Lock'`)).length === 0);
    // Somebody is at work, so nothing is amiss.
    expect(rulesOf(await told(project))).toEqual([]);
    running.kill();
    expect((await running.ended).signal).toBe('SIGKILL');
    await client.query('rollback');
  });
  // The server ends the statement of a vanished process, and then its session with all locks.
  while ((await outside(`select ${OURS}`)).length > 0);

  expect(rulesOf(await told(project))).toEqual(['run-stuck', 'stale-claim']);
  await project.do('runs', 'abort', '--yes');
  const [claim, ...others] = await told(project);
  expect(others).toEqual([]);
  expect(claim).toMatchObject({
    rule: 'stale-claim',
    level: 'warning',
    message: expect.stringContaining('migration 0002_index was begun at ') as string,
    facts: { migration: '0002_index', fixable: false },
  });
  await project.do('migrate');
  expect(await told(project)).toEqual([]);
});

it.each(['provision.activated', 'provision.hooked'])(
  'hooks that a process killed at %s owes are told, until the same command has run them',
  async (point) => {
    const project = await projectWith(directoryOf(numbered('select 1;')));
    const killed = await project.run(...project.provisionArgs('schema'), '--fail-at', point);
    expect(killed.signal).toBe('SIGKILL');
    const [owed, ...others] = await told(project);
    expect(others).toEqual([]);
    expect(owed).toMatchObject({ rule: 'hook-owed', where: 'tenant acme', level: 'warning' });
    const command = /`tenantctl ([^`]+)`/.exec(owed?.hint ?? '')?.[1]?.split(' ') ?? [];
    await project.do(...command);
    expect(await told(project)).toEqual([]);
    expect(project.hooked()).toContain('acme');
  },
);
