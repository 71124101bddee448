import { lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reportFile } from '../../src/cli/report-file.js';
import { numbered, writeFiles } from '../engine/ledger/directory.js';
import { Project } from '../kill/project.js';
import { readXml } from '../render/xml-reader.js';
import { type Ran, json, tenantctl } from '../support/cli.js';
import { newFolder } from '../support/folder.js';
import { query, useServer } from '../support/server.js';
import { testIo } from './support.js';

const server = useServer();

const GITHUB = { GITHUB_ACTIONS: 'true', CI: 'true' };
/** Fails in one unit only, with a message that quotes the data. */
const FAILS = `
  select 1;
  do $$ begin if current_schema like '%bad' then raise exception '::error::100%% of | these'; end if; end $$;`;

interface Repository {
  folder: string;
  run(args: string[], env?: NodeJS.ProcessEnv): Promise<Ran>;
  /** How many units have the second migration. */
  migrated(): Promise<number>;
}

/** A checkout with migrations and a pool, two good tenants and a bad one. */
async function repository(): Promise<Repository> {
  const migrations = newFolder();
  writeFiles(migrations, numbered('create table item (tenant_id uuid not null);'));
  writeFiles(migrations, { 'seed.txt': 'select 1;' });
  const project = await new Project(server.current, {
    migrations,
    seed: join(migrations, 'seed.txt'),
  }).install();
  const tenants = join(project.folder, 'tenants.csv');
  writeFileSync(tenants, 'id,tier\ngood,schema\nfine,schema\nbad,schema\n');
  await project.do('provision', '--from', tenants);
  writeFiles(migrations, { '0002_step.sql': FAILS });
  const { folder, catalogUrl, mark } = project;
  const urls = { CATALOG_URL: catalogUrl, MAIN_URL: server.current.adminUrl('postgres') };
  return {
    folder,
    run: (args, env = {}) =>
      tenantctl(args, { cwd: folder, env: { ...urls, GITHUB_WORKSPACE: migrations, ...env } }),
    migrated: async () => {
      const text = `select from tenantctl.ledger where id = 2 and unit like 's_%'`;
      return (await query(server.current.superuserUrl(`app_${mark}`), text)).length;
    },
  };
}

describe('a run in GitHub Actions that fails in one unit', () => {
  it('leaves one document on stdout, an annotation on stderr, a summary, and JUnit XML', async () => {
    const { folder, run, migrated } = await repository();
    const summary = join(folder, 'summary.md');
    writeFileSync(summary, 'from a step before\n');
    const ran = await run(['migrate', '--json', '--on-failure', 'continue', '--junit', 'junit.xml'], {
      ...GITHUB,
      GITHUB_STEP_SUMMARY: summary,
    });
    expect(ran.code).toBe(7);
    expect(json(ran)).toMatchObject({ ok: false, data: { totals: { failed: 1 } } });
    expect(await migrated()).toBe(2);

    const commands = ran.stderr.split('\n').filter((line) => line.trimStart().startsWith('::'));
    expect(commands).toEqual([
      expect.stringMatching(
        /^::error file=0002_step\.sql,line=3,title=0002_step failed \(P0001\)::failed on 1 unit/,
      ),
    ]);
    expect(commands[0]).toContain('100%25 of | these');

    const markdown = readFileSync(summary, 'utf8');
    expect(markdown).toMatch(/^from a step before\n### tenantctl migrate to 0002_step: partial\n/);
    expect(markdown).toContain('| schema:bad | 0002_step | P0001 |');
    expect(markdown).toContain('100% of &#124; these');
    expect(markdown).toContain('**Next:**');

    const suites = readXml(readFileSync(join(folder, 'junit.xml'), 'utf8')).children;
    const cases = suites.flatMap(({ children }) => children).map(({ attributes }) => attributes);
    expect(cases).toContainEqual(expect.objectContaining({ name: 'schema:bad', file: '0002_step.sql' }));
    expect(cases).toContainEqual(expect.objectContaining({ name: 'units that succeeded' }));
    expect(suites.map(({ attributes }) => attributes['name'])).not.toContain('outside waves');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('leaves stderr to the events where they want it, and outlives a summary that cannot be written', async () => {
    const { folder, run } = await repository();
    const args = ['migrate', '--on-failure', 'continue', '--events', '-'];
    const ran = await run(args, { ...GITHUB, GITHUB_STEP_SUMMARY: folder });
    expect(ran.code).toBe(7);
    const events = ran.stderr.split('\n').filter((line) => line.startsWith('{'));
    expect(events.map((line) => JSON.parse(line) as object)).toContainEqual(
      expect.objectContaining({ type: 'notice', code: 'REPORT_NOT_WRITTEN' }),
    );
    expect(ran.stderr).not.toContain('::error file');
  });
});

describe('--junit', () => {
  it('refuses a place that cannot be written before anything is migrated', async () => {
    const { run, migrated } = await repository();
    const ran = await run(['migrate', '--json', '--junit', 'no/such/folder/junit.xml']);
    expect(ran.code).toBe(2);
    expect(json(ran).error).toMatchObject({
      code: 'REPORT_UNWRITABLE',
      message: expect.stringContaining('no/such/folder/junit.xml') as string,
    });
    expect(await migrated()).toBe(0);
  });

  it('says in error that a run did not come to a report, where an earlier one was green', async () => {
    const { folder, run } = await repository();
    writeFileSync(join(folder, 'junit.xml'), '<testsuites tests="1" failures="0"/>');
    const ran = await run(['migrate', '--select', 'id=nobody', '--junit', 'junit.xml']);
    expect(ran.code).toBe(5);
    const { attributes, children } = readXml(readFileSync(join(folder, 'junit.xml'), 'utf8'));
    expect(attributes).toMatchObject({ tests: '1', errors: '1' });
    const [error] = children[0]?.children[0]?.children ?? [];
    expect(error).toMatchObject({ name: 'error', attributes: { type: 'NOTHING_SELECTED' } });
  });

  it('is written by every command that drives a run', async () => {
    const { folder, run } = await repository();
    const told = async (...args: string[]): Promise<[number | null, string | undefined]> => {
      const { code } = await run([...args, '--junit', 'junit.xml']);
      const { attributes } = readXml(readFileSync(join(folder, 'junit.xml'), 'utf8'));
      writeFileSync(join(folder, 'junit.xml'), '<none/>');
      return [code, attributes['name']];
    };
    expect(await told('migrate', '--on-failure', 'continue')).toEqual([7, 'tenantctl migrate to 0002_step']);
    const [latest] = json<{ runs: { run: string }[] }>(await run(['runs', 'list', '--json'])).data.runs;
    const id = latest?.run ?? '';
    expect(await told('runs', 'retry', id)).toEqual([7, 'tenantctl migrate to 0002_step']);
    const dry = await run(['runs', 'retry', id, '--dry-run']);
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain('would try 1 failed unit again');
    expect(dry.stdout).toContain('Nothing was changed.');
    // It has finished, and its files have no way back.
    expect(await told('runs', 'resume', id)).toEqual([5, 'tenantctl']);
    expect(await told('rollback', '--run', id, '--yes')).toEqual([6, 'tenantctl']);
  });

  it('writes nothing for a dry run', async () => {
    const { folder, run } = await repository();
    expect((await run(['migrate', '--dry-run', '--junit', 'junit.xml'])).code).toBe(0);
    expect(readdirSync(folder)).not.toContain('junit.xml');
  });
});

describe('a report file', () => {
  const io = (cwd: string) => testIo({ cwd }).io;

  it('takes the place of an earlier one as a whole, through a link', async () => {
    const cwd = newFolder();
    writeFileSync(join(cwd, 'earlier.xml'), 'a longer text from before');
    symlinkSync('earlier.xml', join(cwd, 'junit.xml'));
    const file = await reportFile('--junit', 'junit.xml', io(cwd));
    expect(readFileSync(join(cwd, 'junit.xml'), 'utf8')).toBe('a longer text from before');
    await file.write('new');
    expect(readFileSync(join(cwd, 'earlier.xml'), 'utf8')).toBe('new');
    expect(lstatSync(join(cwd, 'junit.xml')).isSymbolicLink()).toBe(true);
    expect(readdirSync(cwd)).toHaveLength(2);
  });

  it.each(['folder', '/dev/null', 'no/folder/x.xml', 'file/x.xml'])('is not %s', async (name) => {
    const cwd = newFolder();
    mkdirSync(join(cwd, 'folder'));
    writeFileSync(join(cwd, 'file'), '');
    await expect(reportFile('--junit', name, io(cwd))).rejects.toMatchObject({
      code: 'REPORT_UNWRITABLE',
      exit: 2,
      message: expect.stringContaining(name) as string,
    });
    expect(readdirSync(cwd)).toHaveLength(2);
  });
});
