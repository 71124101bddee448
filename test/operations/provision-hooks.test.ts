import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FleetSettings } from '../../src/core/settings.js';
import type { Tenant } from '../../src/core/tenant.js';
import { isTenantctlError } from '../../src/core/errors.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { newFleet } from '../support/fleet.js';
import { newFolder } from '../support/folder.js';
import { query, useServer } from '../support/server.js';
import { PLANS, fileWith, statuses } from './provision-support.js';

const server = useServer();
const script = (body: string) => fileWith('hook.sh', `#!/bin/sh\n${body}\n`);
const linesOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);

/** Provisions `acme` with hooks that fail, and gives what is told of it. */
async function failing(hooks: string[][], hookTimeoutMs?: number) {
  const made = await newFleet(server.current, {
    seed: null,
    hooks,
    ...(hookTimeoutMs === undefined ? {} : { hookTimeoutMs }),
  });
  const error: unknown = await provisionTenant(made.fleet, { id: 'acme', plan: 'free' }).catch(
    (e: unknown) => e,
  );
  if (!isTenantctlError(error)) throw new Error('no hook failed', { cause: error });
  expect(error).toMatchObject({
    code: 'HOOK_FAILED',
    exit: 7,
    data: { created: true, tenant: { id: 'acme' } },
  });
  expect(await statuses(made.fleet)).toEqual({ acme: 'active' });
  return { ...made, error };
}

const deliveries = (settings: FleetSettings) =>
  query(
    settings.catalogUrl,
    `select ordinal, command, attempts, delivered_at is not null as delivered, failure
       from tenantctl_catalog.hook_deliveries order by ordinal`,
  );

describe('a hook', () => {
  it.each(PLANS)('gets the tenant as JSON, once, when it is active, in tier %s', async (_, plan) => {
    const heard = join(newFolder(), 'heard');
    const { fleet } = await newFleet(server.current, { hooks: [[script(`cat >> "$1"`), heard]] });
    const { tenant } = await provisionTenant(fleet, { id: 'acme', plan, owner: `o'neil@x.example` });
    await provisionTenant(fleet, { id: 'acme', plan });
    expect(linesOf(heard).map((line) => JSON.parse(line) as Tenant)).toEqual([tenant]);
    expect(tenant.status).toBe('active');
  });

  it('gets its arguments as they are, without a shell', async () => {
    const heard = join(newFolder(), 'heard');
    const odd = `$(touch ${heard}.no); "two words" 'q' \\`;
    const { fleet } = await newFleet(server.current, {
      hooks: [[script(`printf %s "$2" > "$1"`), heard, odd]],
    });
    await provisionTenant(fleet, { id: 'acme', plan: 'free' });
    expect(readFileSync(heard, 'utf8')).toBe(odd);
    expect(existsSync(`${heard}.no`)).toBe(false);
  });

  it('need not read its input, however long', async () => {
    const { fleet } = await newFleet(server.current, { hooks: [['true']] });
    const labels = { long: 'x'.repeat(1_000_000) };
    expect(await provisionTenant(fleet, { id: 'acme', plan: 'free', labels })).toMatchObject({
      created: true,
    });
  });
});

describe('a hook that fails', () => {
  it('is run again by the same call, and those that went well are not', async () => {
    const folder = newFolder();
    const flaky = script(`echo ran >> ${folder}/flaky; echo "no mail server" >&2; test -e ${folder}/mended`);
    const hooks = [
      [script(`echo ran >> ${folder}/before`)],
      [flaky],
      [script(`echo ran >> ${folder}/after`)],
    ];
    const { fleet, settings, error } = await failing(hooks);
    expect(error.message).toContain(
      `Tenant acme is active, but a hook failed:\n  ${flaky} ended with exit code 1: no mail server`,
    );
    expect(error.hint).toContain('tenantctl provision acme');
    await expect(provisionTenant(fleet, { id: 'acme' })).rejects.toMatchObject({
      code: 'HOOK_FAILED',
      data: { created: false },
    });
    expect(await deliveries(settings)).toMatchObject([
      { ordinal: 1, attempts: 1, delivered: true, failure: null },
      {
        ordinal: 2,
        attempts: 2,
        delivered: false,
        failure: expect.stringContaining('no mail server') as string,
      },
      { ordinal: 3, attempts: 1, delivered: true, failure: null },
    ]);
    writeFileSync(join(folder, 'mended'), '');
    expect(await provisionTenant(fleet, { id: 'acme' })).toMatchObject({ created: false });
    await provisionTenant(fleet, { id: 'acme' });
    const ran = ['before', 'flaky', 'after'].map((name) => linesOf(join(folder, name)).length);
    expect(ran).toEqual([1, 3, 1]);
  });

  it.skipIf(!existsSync('/dev/full'))('by a full disk tells what the system said', async () => {
    const { error } = await failing([[script('cat "$0" > /dev/full')]]);
    expect(error.message).toMatch(/hook\.sh ended with exit code \d+: .*No space left on device/);
  });

  it('is missing, or must not be executed', async () => {
    const plain = script('true');
    chmodSync(plain, 0o644);
    const { error, settings } = await failing([['./not-there.sh'], [plain]]);
    expect(error.message).toMatch(/\.\/not-there\.sh could not be run: .*ENOENT/);
    expect(error.message).toMatch(/hook\.sh could not be run: .*EACCES/);
    expect(error.facts).toMatchObject({ tenant: 'acme', failures: [expect.any(String), expect.any(String)] });
    expect(await deliveries(settings)).toHaveLength(2);
  });

  it('by hanging is ended, with all that it has started', async () => {
    const folder = newFolder();
    const hang = script(`sleep 600 & echo $! > ${folder}/child; echo waiting; wait`);
    const { error } = await failing([[hang]], 500);
    expect(error.message).toContain('was ended after 500 ms: waiting');
    const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
    expect(isRunning(child)).toBe(false);
  });

  it('by a signal is told by its name', async () => {
    const { error } = await failing([[script('kill -TERM $$')]]);
    expect(error.message).toContain('was ended by SIGTERM');
  });
});

it('a hook that leaves a process behind, with its output open, is done when it ends', async () => {
  const folder = newFolder();
  const { fleet } = await newFleet(server.current, {
    hooks: [[script(`sleep 600 & echo $! > ${folder}/child`)]],
    hookTimeoutMs: 30_000,
  });
  const { durationMs } = await provisionTenant(fleet, { id: 'acme', plan: 'free' });
  const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
  expect(isRunning(child)).toBe(true);
  process.kill(child, 'SIGKILL');
  expect(durationMs).toBeLessThan(30_000);
});

/** A process that was ended and not yet collected by its parent does not run. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}
