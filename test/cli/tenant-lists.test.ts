import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProvisionedMany } from '../../src/operations/provision-many.js';
import { Project } from '../kill/project.js';
import { type Ran, json, tenantctl } from '../support/cli.js';
import { query, useServer } from '../support/server.js';

const server = useServer();
const newProject = () => new Project(server.current).install();
const dataOf = (ran: Ran) => json<ProvisionedMany>(ran).data;

/** Provisions what a file of this text names. */
async function provision(project: Project, text: string | Buffer, ...more: string[]): Promise<Ran> {
  writeFileSync(join(project.folder, 'tenants'), text);
  return project.run('provision', '--from', 'tenants', '--json', ...more);
}

describe('a list of tenants', () => {
  it('of 200 rows over three tiers is provisioned, and again changes nothing', async () => {
    const project = await newProject();
    const plans = ['free', 'free', 'free', 'free', 'free', 'free', 'pro', 'pro', 'pro', 'enterprise'];
    const rows = Array.from(
      { length: 200 },
      (_, at) => `t${at},${plans[(at * 7) % 10]},o${at}@x.example,r${at % 3}`,
    );
    const text = `id,plan,owner,label.ring\n${rows.join('\n')}\n`;
    const ran = await provision(project, text);
    expect(ran.code).toBe(0);
    expect(dataOf(ran)).toMatchObject({ created: 200, existing: 0, failed: [] });
    const tiers = `select p.tier, count(*)::int as n from tenantctl_catalog.tenants t join tenantctl_catalog.placements p on p.tenant = t.id
      where t.status = 'active' and t.owner like 'o%@x.example' and t.labels ? 'ring' group by p.tier order by n`;
    expect(await query(project.catalogUrl, tiers)).toEqual([
      { tier: 'database', n: 20 },
      { tier: 'schema', n: 60 },
      { tier: 'pool', n: 120 },
    ]);
    const again = await provision(project, text);
    expect(again.code).toBe(0);
    expect(dataOf(again)).toMatchObject({ created: 0, existing: 200, failed: [] });
  });

  it('with bad rows names each by its line, and provisions the others', async () => {
    const project = await newProject();
    const lines = [
      'id,plan,tier,tenantKey',
      'good1,free,,',
      'Bad,free,,',
      'good2,pro,,',
      '"a""; drop schema x; --",free,,',
      'nokey,free,,not-a-uuid',
      'notier,,,',
      'odd,,row,',
      'noplan,gold,,',
      'differs,free,database,',
      'good1,free,,',
      'short,free',
      ',free,,',
      'template1,free,,',
      '\u0430cme,free,,',
      'last,,schema,',
    ];
    const ran = await provision(project, lines.join('\n'));
    expect(ran.code).toBe(7);
    expect(json(ran)).toMatchObject({
      ok: false,
      error: { code: 'PROVISION_PARTIAL', message: expect.stringContaining('12 rows') as string },
    });
    const { created, failed } = dataOf(ran);
    expect(created).toBe(3);
    expect(failed.map(({ line, code }) => [line, code])).toEqual([
      [3, 'ROW_INVALID'],
      [5, 'ROW_INVALID'],
      [6, 'TENANT_KEY_INVALID'],
      [7, 'TIER_UNDECIDED'],
      [8, 'ROW_INVALID'],
      [9, 'PLAN_UNKNOWN'],
      [10, 'TIER_DIFFERS'],
      [11, 'ROW_REPEATED'],
      [12, 'ROW_INVALID'],
      [13, 'ROW_INVALID'],
      [14, 'ROW_INVALID'],
      [15, 'ROW_INVALID'],
    ]);
    expect(failed.find(({ line }) => line === 11)?.message).toContain('line 2');
    expect(failed.find(({ line }) => line === 15)?.message).toContain('U+0430');
    expect(await project.statuses()).toEqual({ good1: 'active', good2: 'active', last: 'active' });

    writeFileSync(join(project.folder, 'tenants'), lines.slice(0, 4).join('\n'));
    const text = await project.run('provision', '--from', 'tenants');
    expect(text.code).toBe(7);
    expect(text.stdout).toMatch(/2 there already, 1 failed[^]*line 3 Bad: ROW_INVALID/);
  });

  it('of NDJSON is read the same way, with its bad rows', async () => {
    const project = await newProject();
    const rows = [
      '{"id":"acme","plan":"free","labels":{"ring":"a \\"b\\""},"owner":"o\'neil@x.example"}',
      '{"id":"beta","plan":',
      '[]',
      '',
      '{"id":"gamma","plan":"pro","colour":"red"}',
      '{"id":"acme","plan":"free"}',
      '{"id":"delta","tier":"database"}',
    ];
    const ran = await provision(project, `\uFEFF${rows.join('\r\n')}\r\n`);
    expect(ran.code).toBe(7);
    expect(dataOf(ran).created).toBe(2);
    expect(dataOf(ran).failed.map(({ line, code }) => [line, code])).toEqual([
      [2, 'ROW_INVALID'],
      [3, 'ROW_INVALID'],
      [5, 'ROW_INVALID'],
      [6, 'ROW_REPEATED'],
    ]);
    const kept = await query(
      project.catalogUrl,
      `select owner, labels from tenantctl_catalog.tenants where id = 'acme'`,
    );
    expect(kept).toEqual([{ owner: `o'neil@x.example`, labels: { ring: 'a "b"' } }]);
  });

  it('survives a byte-order mark, CRLF, quotes, empty lines and what the options add', async () => {
    const project = await newProject();
    const text =
      '\uFEFFid,owner,label.note\r\n\r\nacme,"o\'neil, ""Jo""@x.example","two\nlines; drop table x"\r\n"beta",,\r\n';
    const ran = await provision(project, text, '--plan', 'free', '--label', 'of=import');
    expect(ran.code).toBe(0);
    const kept = 'select id, owner, labels from tenantctl_catalog.tenants order by id';
    expect(await query(project.catalogUrl, kept)).toEqual([
      {
        id: 'acme',
        owner: `o'neil, "Jo"@x.example`,
        labels: { note: 'two\nlines; drop table x', of: 'import' },
      },
      { id: 'beta', owner: null, labels: { of: 'import' } },
    ]);
  });

  it('comes through stdin, and a dry run of it changes nothing', async () => {
    const project = await newProject();
    const env = { CATALOG_URL: project.catalogUrl, MAIN_URL: server.current.adminUrl('postgres') };
    const options = { cwd: project.folder, env, input: 'id,plan\nacme,free\nbeta,pro\n' };
    const dry = await tenantctl(['provision', '--from', '-', '--json', '--dry-run'], options);
    expect(dataOf(dry)).toMatchObject({ created: 2, failed: [] });
    const told = await tenantctl(['provision', '--from', '-', '--dry-run'], options);
    expect(told.stdout).toMatch(/^2 tenants to provision, .*\n\nNothing was changed\.\n$/);
    expect(told.stderr).not.toContain('ok ');
    const bad = { ...options, input: 'id,plan\nacme,free\nbeta,gold\n' };
    const wrong = await tenantctl(['provision', '--from', '-', '--dry-run'], bad);
    expect(wrong.stderr).toMatch(/1 row of stdin would fail\.\n.*Correct bad rows/);
    expect(await project.statuses()).toEqual({});
    const real = await tenantctl(['provision', '--from', '-', '--json'], options);
    expect(dataOf(real)).toMatchObject({ created: 2, failed: [] });
    expect(await project.statuses()).toEqual({ acme: 'active', beta: 'active' });
  });

  it.each([
    ['is not there', 'ROWS_UNREADABLE', () => undefined],
    ['is a folder', 'ROWS_UNREADABLE', (file: string) => mkdirSync(file)],
    ['has no id', 'ROWS_HEADER', (file: string) => writeFileSync(file, 'name,plan\nacme,free\n')],
    [
      'is binary',
      'ROWS_HEADER',
      (file: string) => writeFileSync(file, Buffer.from([0xff, 0xfe, 0, 1, 2, 10])),
    ],
    ['is empty', 'ROWS_HEADER', (file: string) => writeFileSync(file, '')],
  ])('that %s is refused, and nothing is written', async (_, code, make) => {
    const project = await newProject();
    make(join(project.folder, 'list'));
    const ran = await project.run('provision', '--from', 'list', '--plan', 'free', '--json');
    expect(ran.code).toBe(2);
    expect(json(ran).error).toMatchObject({ code, exit: 2 });
    expect(await project.statuses()).toEqual({});
  });

  it.skipIf(process.geteuid?.() === 0)('that must not be read is refused', async () => {
    const project = await newProject();
    const file = join(project.folder, 'list');
    writeFileSync(file, 'id\nacme\n');
    chmodSync(file, 0);
    const ran = await project.run('provision', '--from', 'list', '--plan', 'free', '--json');
    expect(json(ran).error).toMatchObject({ code: 'ROWS_UNREADABLE', exit: 2 });
  });

  it('with a quote that is never closed keeps the rows before it', async () => {
    const project = await newProject();
    const ran = await provision(project, 'id,plan\nacme,free\n"beta,free\ngamma,free\n');
    expect(ran.code).toBe(7);
    expect(dataOf(ran)).toMatchObject({ created: 1, failed: [{ code: 'ROW_INVALID' }] });
    expect(await project.statuses()).toEqual({ acme: 'active' });
  });
});
