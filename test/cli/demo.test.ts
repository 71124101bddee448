import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMPANIES, NEWCOMER } from '../../src/cli/demo/companies.js';
import type { DemoReport } from '../../src/cli/demo/report.js';
import { lookUp } from '../../src/embedded/processes.js';
import { type LocalServer, findLocalServer, stopLocalServer } from '../../src/embedded/server.js';
import { type Ran, json, tenantctl } from '../support/cli.js';
import { document, invoke } from './support.js';

const BIN = fileURLToPath(new URL('../../bin/tenantctl.js', import.meta.url));
const folders: string[] = [];

/** A folder to run the demo in, which the server's user can reach. */
function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-demo-'));
  chmodSync(folder, 0o755);
  folders.push(folder);
  return folder;
}

const demoIn = (folder: string) => path.join(folder, '.tenantctl/demo');
const serverOf = (folder: string) => findLocalServer(path.join(demoIn(folder), '.tenantctl'));

afterAll(async () => {
  for (const folder of folders) {
    await stopLocalServer(path.join(demoIn(folder), '.tenantctl'));
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
  }
});

describe('the demo', () => {
  let folder: string;
  let ran: Ran;
  let report: DemoReport;
  let left: LocalServer | undefined;

  beforeAll(async () => {
    folder = scratch();
    // Variables of the user's own fleet must not lead the demo there.
    const env = {
      TENANTCTL_CATALOG_URL: 'postgres://nobody@127.0.0.1:1/none',
      TENANTCTL_CONFIG: 'none.yaml',
    };
    ran = await tenantctl(['demo', '--json'], { cwd: folder, env });
    report = json<DemoReport>(ran).data;
    left = await serverOf(folder);
  }, 120_000);

  const countsOf = (name: string) => report.steps.find((step) => step.name === name)?.counts;

  it('needs no configuration, heeds none, and leaves no server running', () => {
    expect(ran.code).toBe(0);
    const said = ran.stderr.trim().split('\n');
    expect(said).toEqual([expect.stringMatching(/^failed schema:/), expect.stringMatching(/^run halted: /)]);
    expect(left).toBeUndefined();
  });

  it('tells how long each step took and what it did', () => {
    expect(report.steps.map(({ name }) => name)).toEqual([
      'start',
      'provision',
      'migrate',
      'canary',
      'isolate',
      'check',
      'suspend',
      'crash',
      'promote',
      'leave',
    ]);
    for (const { durationMs, did } of report.steps) {
      expect(durationMs).toBeGreaterThan(0);
      expect(did).not.toBe('');
    }
    expect(report.durationMs).toBe(report.steps.reduce((sum, { durationMs }) => sum + durationMs, 0));
  });

  it('provisions hundreds of tenants over three tiers and migrates all of their units', () => {
    expect(countsOf('provision')).toEqual({ tenants: 308, pool: 240, schema: 60, database: 8, units: 69 });
    expect(countsOf('migrate')).toMatchObject({
      units: 69,
      tenants: 308,
      succeeded: 69,
      failed: 0,
      from: '0011_credit_notes',
      to: '0014_activity_2027',
    });
  });

  it('shows a bad migration halted at the canary, and finished after the repair', () => {
    const canary = countsOf('canary');
    expect(canary).toMatchObject({ units: 69, failed: 1, afterwards: 69 });
    expect(canary?.['spared']).toBeGreaterThanOrEqual(56);
  });

  it('shows neighbours apart, a suspension that is felt and a crash that is mended', () => {
    expect(countsOf('isolate')).toMatchObject({ invoicesWithoutTenant: 0, foreignWrite: '42501' });
    expect(countsOf('isolate')?.['invoicesOfOne']).toBeGreaterThan(0);
    expect(countsOf('isolate')?.['invoicesOfOther']).toBeGreaterThan(0);
    expect(countsOf('suspend')).toMatchObject({ sqlstate: 'TC002' });
    expect(countsOf('crash')).toMatchObject({ afterCrash: 'provisioning', afterwards: 'active' });
  });

  it('moves a tenant while it is written to, and finds every row that was acknowledged', () => {
    const counts = countsOf('promote');
    expect(counts?.['rows']).toBeGreaterThan(1_000);
    expect(counts?.['writePauseMs']).toBeGreaterThan(0);
    expect(counts?.['acknowledged']).toBeGreaterThanOrEqual(60);
    expect(counts?.['found']).toBe(counts?.['acknowledged']);
  });

  it('lets a tenant of each tier leave and come back from its export', () => {
    const counts = countsOf('leave');
    expect(counts).toMatchObject({ tenants: 3, certificates: 3, refused: 'TENANT_ON_HOLD' });
    expect(counts?.['rows']).toBeGreaterThan(1_000);
  });

  it('opens a hole in the pool, is told of it, and closes it by the SQL of the finding', () => {
    const { errors, probed, before, open, after } = countsOf('check') as Record<string, number>;
    expect(errors).toBeGreaterThan(0);
    expect(probed).toBeGreaterThan(500);
    expect(open).toBeGreaterThan(Number(before));
    expect(after).toBe(before);
  });

  it('leaves a fleet on which the commands it names work', async () => {
    const outputs: string[] = [];
    for (const { run } of [...report.next, { run: report.stop }]) {
      const [npx, tool, ...args] = run.split(' ');
      expect([npx, tool]).toEqual(['npx', 'tenantctl']);
      const { code, stdout } = await tenantctl([...args, '--json'], { cwd: folder });
      expect(code).toBe(0);
      outputs.push(stdout);
    }
    const [list = '', provisioned = '', , undone = '', stopped = ''] = outputs;
    const { tenants } = (JSON.parse(list) as { data: { tenants: { id: string; status: string }[] } }).data;
    expect(tenants).toHaveLength(10);
    expect(tenants).toContainEqual(expect.objectContaining({ id: NEWCOMER, status: 'active' }));
    expect(JSON.parse(provisioned)).toMatchObject({ data: { created: true } });
    expect(JSON.parse(undone)).toMatchObject({ data: { state: 'undone' } });
    expect(JSON.parse(stopped)).toMatchObject({ data: { stopped: true } });
    expect(await serverOf(folder)).toBeUndefined();
  });

  it('begins anew where an earlier one was, and stops its server on Ctrl-C', async () => {
    const child = spawn(process.execPath, [BIN, 'demo'], { cwd: folder });
    let [stdout, stderr] = ['', ''];
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (/^2\/\d+ /m.test(stdout) && !child.killed) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(130);
    expect(stderr).toContain('Interrupted by SIGINT');
    expect(stdout).toMatch(/\d+ migrations of its own/);
    expect(stdout).not.toMatch(/^3\/\d+ /m);
    expect(stdout).not.toContain('\u001B');
    expect(await serverOf(folder)).toBeUndefined();
  });

  it('never touches a file that it did not write', async () => {
    const config = readFileSync(path.join(demoIn(folder), 'tenantctl.config.yaml'), 'utf8');
    const mine = path.join(demoIn(folder), 'migrations/0012_mine.sql');
    writeFileSync(mine, 'select 1;\n');
    writeFileSync(path.join(demoIn(folder), 'tenantctl.config.yaml'), `${config}# mine\n`);
    const { error } = document(await invoke(['demo', '--json'], { cwd: folder }));
    expect(error).toMatchObject({
      code: 'DEMO_FOLDER_TAKEN',
      exit: 5,
      facts: { files: ['migrations/0012_mine.sql', 'tenantctl.config.yaml'] },
    });
    expect(readFileSync(mine, 'utf8')).toBe('select 1;\n');
  });
});

describe('the demo refuses', () => {
  it.each([['--config'], ['--catalog']])('another fleet: %s', async (flag) => {
    const cwd = scratch();
    const { error } = document(
      await invoke(['demo', '--json', flag, 'postgres://me:secret@db.example/x'], { cwd }),
    );
    expect(error).toMatchObject({ code: 'DEMO_FLEET', exit: 2, facts: { option: flag } });
    expect(existsSync(path.join(cwd, '.tenantctl'))).toBe(false);
  });

  it('a place where it cannot make its folder, and says which', async () => {
    const cwd = scratch();
    writeFileSync(path.join(cwd, '.tenantctl'), '');
    const { code, stderr } = await invoke(['demo'], { cwd });
    expect(code).toBe(5);
    expect(stderr).toContain(path.join(cwd, '.tenantctl'));
    expect(stderr).toContain('hint:');
  });

  it('to disturb another one that is at work', async () => {
    const cwd = scratch();
    mkdirSync(demoIn(cwd), { recursive: true });
    const mark = `${process.pid} ${lookUp(process.pid)?.started}`;
    writeFileSync(path.join(demoIn(cwd), 'running'), mark);
    const { error } = document(await invoke(['demo', '--json'], { cwd }));
    expect(error).toMatchObject({ code: 'DEMO_RUNNING', exit: 5, facts: { pid: process.pid } });
  });
});

describe('the companies of the demo', () => {
  it('have ids of their own', () => {
    expect(new Set([...COMPANIES.map(({ id }) => id), NEWCOMER]).size).toBe(COMPANIES.length + 1);
  });
});
