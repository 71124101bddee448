import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { extract } from 'tar';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { generateSigningKey, parseSigningKey } from '../../src/core/signature.js';
import { verifyBag } from '../../src/engine/bag/verify.js';
import { Project } from '../kill/project.js';
import { type Ran, json, tenantctl } from '../support/cli.js';
import { newFolder } from '../support/folder.js';
import { useServer } from '../support/server.js';
import { invoke } from './support.js';

const server = useServer();
vi.setConfig({ testTimeout: 90_000 });
const BIN = fileURLToPath(new URL('../../bin/tenantctl.js', import.meta.url));
const KEY = parseSigningKey(generateSigningKey());
let project: Project;
let env: Record<string, string>;

beforeAll(async () => {
  project = await new Project(server.current).install();
  env = { CATALOG_URL: project.catalogUrl, MAIN_URL: server.current.adminUrl('postgres') };
  await project.do(...project.provisionArgs('pool'));
});

const errorOf = (ran: Ran) => json(ran).error;

/** The same program with a signing key. */
function signed(...args: string[]): Promise<Ran> {
  const key = KEY.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return tenantctl(args, { cwd: project.folder, env: { ...env, TENANTCTL_SIGNING_KEY: key } });
}

/** A public key in a file. */
function keyFile(pem: string): string {
  const file = join(newFolder(), 'key.pub.pem');
  writeFileSync(file, pem);
  return file;
}

describe('export', () => {
  it('writes a folder and says what is in it, what comes next, and how it can be verified', async () => {
    const ran = await project.do('export', 'acme', '--out', 'exports/first');
    expect(ran.stdout).toContain(`ok acme exported to ${join(project.folder, 'exports/first')}`);
    expect(ran.stdout).toMatch(/rows +\d+ in 19 tables, 2 of them reference data/);
    expect(ran.stdout).toContain('tenantctl export verify');
    expect(ran.stderr).toMatch(/ok acme: exported \d+ rows/);
  });

  it('gives the manifest, files, rows and bytes as JSON', async () => {
    const { data } = json<Record<string, unknown>>(
      await project.do('export', 'acme', '--out', 'exports/json', '--format', 'ndjson', '--gzip', '--json'),
    );
    expect(Object.keys(data).toSorted()).toEqual([
      'bytes',
      'directory',
      'files',
      'manifest',
      'manifestSha256',
      'rows',
    ]);
    expect(data).toMatchObject({
      directory: join(project.folder, 'exports/json'),
      manifest: { tenant: { id: 'acme' }, data: { format: 'ndjson', compression: 'gzip' } },
    });
  });

  it('plans with --dry-run and writes nothing', async () => {
    const ran = await project.do('export', 'acme', '--out', 'exports/planned', '--dry-run');
    expect(ran.stdout).toContain('19 tables');
    expect(ran.stdout).toContain('customer, customer_contact refer to each other');
    expect(readdirSync(join(project.folder, 'exports'))).not.toContain('planned');
  });

  it('refuses a folder that is there (5), a missing --out (2), and an unknown tenant (5)', async () => {
    mkdirSync(join(project.folder, 'mine'));
    const taken = await project.run('export', 'acme', '--out', 'mine', '--json');
    expect([taken.code, errorOf(taken)?.code]).toEqual([5, 'EXPORT_TARGET_EXISTS']);
    const nowhere = await project.run('export', 'acme', '--json');
    expect([nowhere.code, errorOf(nowhere)?.code]).toEqual([2, 'EXPORT_USAGE']);
    const nobody = await project.run('export', 'nobody', '--out', 'x', '--json');
    expect([nobody.code, errorOf(nobody)?.code]).toEqual([5, 'TENANT_UNKNOWN']);
  });
});

describe('export --out -', () => {
  it('writes a tar and nothing else to stdout, with one folder that is called like the tenant', async () => {
    const child = spawnSync(process.execPath, [BIN, 'export', 'acme', '--out', '-'], {
      cwd: project.folder,
      env: { ...process.env, ...env },
    });
    expect(child.stderr.toString()).toMatch(/ok acme: exported/);
    expect(child.status).toBe(0);
    const folder = newFolder();
    writeFileSync(join(folder, 'acme.tar'), child.stdout);
    await extract({ file: join(folder, 'acme.tar'), cwd: folder });
    rmSync(join(folder, 'acme.tar'));
    expect(readdirSync(folder)).toEqual(['acme']);
    expect(await verifyBag(join(folder, 'acme'))).toMatchObject({ ok: true, tenant: 'acme' });
  });

  it('leaves nothing in the temporary folder', () => {
    const tmp = newFolder();
    const child = spawnSync(process.execPath, [BIN, 'export', 'acme', '--out', '-'], {
      cwd: project.folder,
      env: { ...process.env, ...env, TMPDIR: tmp },
    });
    expect(child.status).toBe(0);
    expect(readdirSync(tmp)).toEqual([]);
  });

  it('does not share stdout with --json, and writes to no terminal (2)', async () => {
    const both = await project.run('export', 'acme', '--out', '-', '--json');
    expect([both.code, errorOf(both)?.code]).toEqual([2, 'EXPORT_USAGE']);
    const terminal = await invoke(['export', 'acme', '--out', '-'], {
      cwd: project.folder,
      env,
      terminal: true,
    });
    expect([terminal.code, terminal.stdout]).toEqual([2, '']);
    expect(terminal.stderr).toContain('stdout is a terminal');
  });
});

describe('export verify', () => {
  it('says that an export is whole, from anywhere, without configuration or database', async () => {
    await signed('export', 'acme', '--out', 'exports/signed');
    const ran = await tenantctl(['export', 'verify', join(project.folder, 'exports/signed')], {
      cwd: newFolder(),
    });
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toContain('export of acme is whole and unchanged');
    expect(ran.stdout).toContain(`Signed with key ${KEY.id}, which came with it`);
  });

  it('compares the signature with a key that is given, and fails for another one (8)', async () => {
    await signed('export', 'acme', '--out', 'exports/keyed');
    const right = await project.do(
      'export',
      'verify',
      'exports/keyed',
      '--key',
      keyFile(KEY.publicKey),
      '--json',
    );
    expect(json(right).data).toMatchObject({
      ok: true,
      differences: [],
      signed: { keyId: KEY.id, by: 'the given key' },
    });
    const other = parseSigningKey(generateSigningKey()).publicKey;
    const wrong = await project.run('export', 'verify', 'exports/keyed', '--key', keyFile(other), '--json');
    expect([wrong.code, errorOf(wrong)?.code]).toEqual([8, 'EXPORT_DIFFERS']);
  });

  it('names every file that differs, and exits 8', async () => {
    await project.do('export', 'acme', '--out', 'exports/changed');
    const file = join(project.folder, 'exports/changed/data/tables/001_currency.csv');
    writeFileSync(file, readFileSync(file, 'utf8').replace('Euro', 'Eur0'));
    const ran = await project.run('export', 'verify', 'exports/changed');
    expect(ran.code).toBe(8);
    expect(ran.stdout).toContain('changed data/tables/001_currency.csv: its sha256 is');
    expect(ran.stderr).toContain('exports/changed is not what it says');
    const { data } = json<{ ok: boolean; differences: { file: string }[] }>(
      await project.run('export', 'verify', 'exports/changed', '--json'),
    );
    expect(data).toMatchObject({
      ok: false,
      differences: [{ file: 'data/tables/001_currency.csv', problem: 'changed' }],
    });
  });

  it('says that a folder is no export (2), and that a key cannot be read (2)', async () => {
    const cwd = newFolder();
    const none = await tenantctl(['export', 'verify', '.', '--json'], { cwd });
    expect([none.code, errorOf(none)?.code]).toEqual([2, 'EXPORT_NOT_A_BAG']);
    const key = await tenantctl(['export', 'verify', '.', '--key', 'nothing.pem', '--json'], { cwd });
    expect([key.code, errorOf(key)?.code]).toEqual([2, 'KEY_UNREADABLE']);
  });
});

/** A file system of 96 kB, which only whoever may mount one can have. */
const SMALL_DISK = 'mount -t tmpfs -o size=96k tmpfs "$0" && "$@"; code=$?; ls -A "$0"; exit $code';
const mayMount = spawnSync('unshare', ['-rm', 'true']).status === 0;

describe('a disk that is full', () => {
  it.skipIf(!mayMount)('ends the export with what to do, and nothing is left on it', () => {
    const disk = newFolder();
    const command = [process.execPath, BIN, 'export', 'acme', '--out', join(disk, 'acme'), '--json'];
    const child = spawnSync('unshare', ['-rm', 'sh', '-c', SMALL_DISK, disk, ...command], {
      cwd: project.folder,
      env: { ...process.env, ...env },
    });
    const [document = '', ...left] = child.stdout.toString().trimEnd().split('\n');
    expect(JSON.parse(document)).toMatchObject({
      error: { code: 'EXPORT_DISK_FULL', exit: 5, facts: { errno: 'ENOSPC' } },
    });
    expect([child.status, left]).toEqual([5, []]);
  });
});
