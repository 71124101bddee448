import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Project } from '../kill/project.js';
import { json, tenantctl } from '../support/cli.js';
import { newFolder } from '../support/folder.js';
import { ROOT } from '../support/pages.js';
import { query, useServer, withClient } from '../support/server.js';

const server = useServer();
let project: Project;

/** A tenant that has left a pool, one that has left a schema of its own, and one that has stayed. */
beforeAll(async () => {
  project = await new Project(server.current).install();
  await project.do(...project.provisionArgs('pool', 'acme'));
  await project.do('provision', 'solo', '--tier', 'schema');
  await project.do('provision', 'staying', '--tier', 'pool');
  for (const id of ['acme', 'solo'])
    await project.do(
      'offboard',
      id,
      '--retain',
      '0s',
      '--without-export',
      '--ticket',
      'T-42',
      '--confirm',
      id,
      '--yes',
    );
  await project.do('retention', 'run', '--yes', '--actor', 'cron');
}, 120_000);

/** As anybody elsewhere: no configuration, no database. */
const elsewhere = (...args: string[]) => tenantctl(args, { cwd: newFolder() });

describe('a certificate on the command line', () => {
  const file = () => join(project.folder, 'acme.json');
  const key = () => join(project.folder, 'fleet.pub.pem');

  it('is shown on one screen, and never says more than was done', async () => {
    for (const id of ['acme', 'solo']) {
      const { stdout, code } = await project.run('certificate', id);
      expect(code).toBe(0);
      expect(stdout.split('\n').length).toBeLessThanOrEqual(45);
      expect(stdout).toContain(`Tenant ${id} was deleted between`);
      expect(stdout).toContain('What may still hold its data');
      expect(stdout).toContain('signature right');
      expect(stdout).not.toMatch(/erased|purged|saniti[sz]ed|NIST/i);
      expect(stdout).not.toContain('jo@acme.example');
    }
  });

  it('is written to a file that only its owner may read, once, and verified where there is nothing else', async () => {
    await project.do('certificate', 'acme', '--out', 'acme.json');
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    const again = await project.run('certificate', 'acme', '--out', 'acme.json', '--json');
    expect(json(again)).toMatchObject({ ok: false, error: { code: 'FILE_EXISTS', exit: 2 } });
    writeFileSync(key(), (await project.do('certificate', 'key')).stdout);
    const verified = await elsewhere('certificate', 'verify', file(), '--key', key(), '--json');
    expect(verified.code).toBe(0);
    expect(json(verified).data).toMatchObject({
      ok: true,
      tenant: 'acme',
      keyFrom: 'given',
      differences: [],
    });
    const { keyId } = json<{ keyId: string }>(await project.do('certificate', 'key', '--json')).data;
    expect(json(verified).data).toMatchObject({ keyId });
    const alone = await elsewhere('certificate', 'verify', file());
    expect(alone.code).toBe(0);
    expect(alone.stdout).toContain('came with the file');
  });

  it('that somebody has changed, or that another key has signed, ends with exit 8', async () => {
    const text = (await project.do('certificate', 'acme', '--json')).stdout;
    const document = JSON.stringify(JSON.parse(text).data as unknown);
    const changed = join(project.folder, 'changed.json');
    writeFileSync(changed, document.replace('"ticket":"T-42"', '"ticket":"T-43"'));
    const refused = await elsewhere('certificate', 'verify', changed, '--key', key(), '--json');
    expect(refused.code).toBe(8);
    expect(json(refused)).toMatchObject({
      error: { code: 'CERTIFICATE_DIFFERS' },
      data: { ok: false, differences: [{ kind: 'signature' }] },
    });
    const strange = join(project.folder, 'strange.pem');
    writeFileSync(strange, OTHER_KEY);
    expect((await elsewhere('certificate', 'verify', file(), '--key', strange)).code).toBe(8);
  });

  it.each([
    [['certificate', 'verify', 'nowhere.json'], 'FILE_UNREADABLE', 2],
    [['certificate', 'verify', 'tenantctl.config.json', '--key', 'nowhere.pem'], 'KEY_UNREADABLE', 2],
    [
      ['certificate', 'verify', 'tenantctl.config.json', '--key', 'tenantctl.config.json'],
      'PUBLIC_KEY_INVALID',
      3,
    ],
    [['certificate', 'verify', 'tenantctl.config.json'], 'CERTIFICATE_DIFFERS', 8],
    [['certificate', 'staying'], 'CERTIFICATE_MISSING', 5],
    [['certificate', 'nobody'], 'TENANT_UNKNOWN', 5],
    [['show', 'acme'], 'TENANT_DELETED', 5],
    [['provision', 'acme', '--tier', 'pool'], 'TENANT_DELETED', 5],
  ])('%j answers %s', async (args, code, exit) => {
    expect(json(await project.run(...args, '--json'))).toMatchObject({ ok: false, error: { code, exit } });
  });
});

describe('the audit log on the command line', () => {
  it('tells who did what to a tenant, and why', async () => {
    const { entries } = json<{ entries: { action: string; actor: string; ticket: string | null }[] }>(
      await project.do('audit', 'list', '--tenant', 'acme', '--json'),
    ).data;
    expect(entries.map(({ action }) => action)).toContain('tenant.offboard');
    expect(entries.find(({ action }) => action === 'tenant.offboard')).toMatchObject({ ticket: 'T-42' });
    expect(entries.at(-1)).toMatchObject({ action: 'tenant.purge', actor: 'cron' });
    const { stdout } = await project.do(
      'audit',
      'list',
      '--tenant',
      'acme',
      '--actor',
      'cron',
      '--since',
      '1h',
    );
    expect(stdout).toContain('tenant.purge');
    expect(stdout).not.toContain('tenant.provision');
  });

  it('is signed into a file beside the configuration, which several terminals can do at once', async () => {
    const ran = await Promise.all([1, 2, 3].map(() => project.run('audit', 'checkpoint', '--json')));
    expect(ran.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(ran.filter((each) => json<{ written: boolean }>(each).data.written)).toHaveLength(1);
    const lines = readFileSync(join(project.folder, 'audit-checkpoints.ndjson'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(json(await project.do('audit', 'verify', '--json')).data).toMatchObject({
      ok: true,
      checkpoints: { inFile: 1, signatures: 'checked' },
    });
  });

  it.each([
    [['audit', 'list', '--since', 'yesterday'], 'SINCE_INVALID', 2],
    [['audit', 'verify', '--checkpoints', 'nowhere.ndjson'], 'CHECKPOINTS_MISSING', 2],
    [['audit', 'checkpoint', '--file', 'nowhere/at-all.ndjson'], 'CHECKPOINT_UNWRITABLE', 6],
  ])('%j answers %s', async (args, code, exit) => {
    expect(json(await project.run(...args, '--json'))).toMatchObject({ ok: false, error: { code, exit } });
  });

  it('that was set back behind its checkpoint ends with exit 8, and names the first entry that is gone', async () => {
    const other = await new Project(server.current).install();
    await other.do('provision', 'acme', '--tier', 'pool');
    await other.do('audit', 'checkpoint', '--file', 'kept.ndjson');
    const database = new URL(other.catalogUrl).pathname.slice(1);
    await withClient(server.current.superuserUrl(database), async (client) => {
      await client.query('set session_replication_role = replica');
      await client.query('delete from tenantctl_catalog.audit_checkpoints');
      await client.query(
        'delete from tenantctl_catalog.audit where seq = (select max(seq) from tenantctl_catalog.audit)',
      );
      await client.query(
        'update tenantctl_catalog.audit_head h set seq = a.seq, hash = a.hash from tenantctl_catalog.audit a where a.seq = (select max(seq) from tenantctl_catalog.audit)',
      );
    });
    expect((await other.run('audit', 'verify')).code).toBe(0);
    const verified = await other.run('audit', 'verify', '--checkpoints', 'kept.ndjson', '--json');
    expect(verified.code).toBe(8);
    const [{ last } = { last: 0 }] = await query<{ last: number }>(
      other.catalogUrl,
      'select max(seq)::int as last from tenantctl_catalog.audit',
    );
    expect(json(verified)).toMatchObject({
      error: { code: 'AUDIT_DIFFERS' },
      data: { ok: false, differences: [{ kind: 'truncated', seq: last + 1 }] },
    });
    const signing = await other.run('audit', 'checkpoint', '--file', 'kept.ndjson', '--json');
    expect(json(signing)).toMatchObject({ error: { code: 'AUDIT_DIFFERS', exit: 8 } });
  });
});

describe('doctor on the command line', () => {
  it('has nothing to say of a healthy fleet, and exits 8 when a deleted tenant is back', async () => {
    expect(json(await project.do('doctor', '--json')).data).toEqual({ findings: [], fixed: [] });
    const [{ database } = { database: '' }] = await query<{ database: string }>(
      project.catalogUrl,
      `select database from tenantctl_catalog.placements where tenant = 'solo'`,
    );
    const schema = `s_${project.mark}_solo`;
    await query(server.current.superuserUrl(database), `create schema ${schema}`);
    const ran = await project.run('doctor', '--json');
    expect(ran.code).toBe(8);
    expect(json(ran)).toMatchObject({
      error: { code: 'DOCTOR_FINDINGS' },
      data: {
        findings: [{ rule: 'deleted-tenant-is-back', level: 'error', facts: { tenant: 'solo', schema } }],
      },
    });
    const { stdout } = await project.run('doctor', '--fix', '--yes');
    expect(stdout).toContain(`drop schema "${schema}" cascade`);
    await query(server.current.superuserUrl(database), `drop schema ${schema}`);
  });
});

describe('the pages', () => {
  const UNTRUE = /\berased\b|\bpurged\b|\bsaniti[sz]ed\b|NIST[- ]compliant/i;

  it('never call a deletion what it is not', () => {
    const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.md'),
    );
    expect(pages.length).toBeGreaterThan(20);
    const untrue = [...pages.map((name) => join('docs', name)), 'README.md'].filter((name) =>
      UNTRUE.test(withoutFaultPoints(readFileSync(join(ROOT, name), 'utf8'))),
    );
    expect(untrue).toEqual([]);
    expect(existsSync(join(ROOT, 'docs/how-to/read-a-certificate.md'))).toBe(true);
  });
});

/** The state of an offboarding, and the fault point of that name. */
function withoutFaultPoints(text: string): string {
  return text.replaceAll(/`(?:retention\.)?purged`/g, '');
}

const OTHER_KEY = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`;
