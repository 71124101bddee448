import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { invoke } from './support.js';
import { newFolder } from '../support/folder.js';

const TABLE = `create table invoice (
  tenant_id uuid not null, id bigint not null, note text, primary key (tenant_id, id));`;
const DROP = 'alter table invoice drop column note;';

/** A checkout whose migrations have one fault: what the rules say of it is told elsewhere. */
function checkout(second = DROP) {
  const folder = newFolder();
  mkdirSync(join(folder, 'migrations'));
  const write = (name: string, text: string) => writeFileSync(join(folder, 'migrations', name), text);
  write('0001_invoice.sql', TABLE);
  write('0002_change.sql', second);
  writeFileSync(
    join(folder, 'tenantctl.config.yaml'),
    // A URL that nobody answers: only files are read.
    'catalog: { url: "postgresql://nobody:geheim@127.0.0.1:1/x" }\nclusters: {}\nmigrations: { directory: migrations }\n',
  );
  const run = (args: string[], env: Record<string, string> = {}) =>
    invoke(['check', 'migrations', ...args], { cwd: folder, env });
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  return { folder, write, run, read };
}

describe('check migrations', () => {
  it('exits 8 on an error and names file, line, rule and what to do; no server is asked', async () => {
    const { run } = checkout();
    const { code, stdout, stderr } = await run([]);
    expect(code).toBe(8);
    expect(stdout).toContain('drop-column');
    expect(stdout).toContain('0002_change.sql:1:');
    expect(stderr).toContain('1 error found: drop-column.');
  });

  it('gives the findings as one document', async () => {
    const { run } = checkout();
    const { code, stdout } = await run(['--json']);
    expect(code).toBe(8);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { code: 'CHECK_FINDINGS', exit: 8, facts: { rules: ['drop-column'] } },
      data: {
        files: 2,
        findings: expect.arrayContaining([
          expect.objectContaining({
            rule: 'drop-column',
            level: 'error',
            where: '0002_change.sql',
            facts: expect.objectContaining({ file: 'migrations/0002_change.sql', line: 1 }),
          }),
        ]),
      },
    });
  });

  it('exits 0 where the file says that it is meant', async () => {
    const { run } = checkout(`-- tenantctl: allow drop-column because nobody reads it since March\n${DROP}`);
    const { code, stdout } = await run(['--json']);
    expect(JSON.parse(stdout).data.findings.map(({ rule }: { rule: string }) => rule)).not.toContain(
      'drop-column',
    );
    expect(code).toBe(0);
  });

  it('fails only on what is new once a baseline is written', async () => {
    const { run, read, write } = checkout();
    const written = await run(['--write-baseline', 'debts.json']);
    expect(written.code).toBe(0);
    expect(written.stdout).toMatch(/^baseline: \d findings? written to debts\.json$/m);
    expect(JSON.parse(read('debts.json')).checks.migrations).toContainEqual({
      rule: 'drop-column',
      where: '0002_change.sql',
      count: 1,
    });
    const again = await run(['--baseline', 'debts.json']);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('known already');
    write('0003_more.sql', 'alter table invoice drop column tenant_id;');
    expect((await run(['--baseline', 'debts.json'])).code).toBe(8);
    write('0002_change.sql', 'select 1;');
    write('0003_more.sql', 'select 1;');
    const paid = await run(['--baseline', 'debts.json']);
    expect(paid.stdout).toContain('no longer there: drop-column at 0002_change.sql');
  });

  it('does not say of a file that cannot be read that its debts are gone, and does not take them out', async () => {
    const { run, read, write } = checkout();
    await run(['--write-baseline', 'debts.json']);
    const before = JSON.parse(read('debts.json')).checks.migrations;
    write('0002_change.sql', 'alter table invoice drop colum note;');
    const { stdout, code } = await run(['--baseline', 'debts.json']);
    expect(code).toBe(8);
    expect(stdout).not.toContain('no longer there');
    await run(['--write-baseline', 'debts.json']);
    expect(JSON.parse(read('debts.json')).checks.migrations).toEqual(expect.arrayContaining(before));
  });

  it('keeps what other checks have found in a baseline that it writes anew', async () => {
    const { run, read, folder } = checkout();
    const isolation = [{ rule: 'rls-off', where: 'main/app.app.invoice', count: 2 }];
    writeFileSync(join(folder, 'debts.json'), JSON.stringify({ version: 1, checks: { isolation } }));
    await run(['--write-baseline', 'debts.json']);
    expect(JSON.parse(read('debts.json')).checks).toMatchObject({ isolation, migrations: [{}] });
  });

  it.each([
    ['is not there', undefined],
    ['is no JSON', '{'],
    ['is of another version', '{"version":2,"checks":{}}'],
    ['names a check that is none', '{"version":1,"checks":{"all":[]}}'],
    ['holds something else', '{"version":1,"checks":{"migrations":[{"rule":1}]}}'],
  ])('ends with exit 2 when the baseline %s, for it must not pass for an empty one', async (_what, text) => {
    const { run, folder } = checkout();
    if (text !== undefined) writeFileSync(join(folder, 'debts.json'), text);
    const { code, stderr } = await run(['--baseline', 'debts.json']);
    expect(code).toBe(2);
    expect(stderr).toContain('--baseline: cannot read debts.json');
  });

  it('writes SARIF and JUnit, and refuses a place that cannot be written before it looks', async () => {
    const { run, read, folder } = checkout();
    await run(['--sarif', 'check.sarif', '--junit', 'check.xml']);
    const [result] = JSON.parse(read('check.sarif')).runs[0].results;
    expect(result).toMatchObject({
      ruleId: 'drop-column',
      locations: [{ physicalLocation: { artifactLocation: { uri: 'migrations/0002_change.sql' } } }],
    });
    expect(read('check.xml')).toContain('<failure');
    const refused = await run(['--sarif', 'new.sarif', '--junit', 'nowhere/check.xml']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('nowhere/check.xml');
    expect(existsSync(join(folder, 'new.sarif'))).toBe(false);
  });

  it('annotates the lines of the files for GitHub, and stdout stays one document', async () => {
    const { run } = checkout();
    const { stdout, stderr } = await run(['--json'], { GITHUB_ACTIONS: 'true' });
    expect(stderr).toMatch(/^::error file=migrations\/0002_change.sql,line=1/m);
    expect(() => JSON.parse(stdout)).not.toThrow();
  });

  it('tells all that is wrong with files that could not even be read, with their lines', async () => {
    const { run, write } = checkout('begin; select 1; commit;');
    write('0003_broken.sql', 'creat table x ();');
    const { code, stdout } = await run([]);
    expect(code).toBe(8);
    expect(stdout).toContain('0002_change.sql:1');
    expect(stdout).toContain('0003_broken.sql:1');
  });

  it('names the directory as the checkout does, so that a baseline holds on every machine', async () => {
    const { run, write } = checkout();
    write('0005_gap.sql', 'select 1;');
    const { findings } = JSON.parse((await run(['--json'])).stdout).data;
    expect(findings).toMatchObject([{ rule: 'files-not-in-order', where: 'migrations' }]);
  });
});
