import { beforeAll, describe, expect, it, vi } from 'vitest';
import { numbered, writeFiles } from '../engine/ledger/directory.js';
import { Project } from '../kill/project.js';
import { json } from '../support/cli.js';
import { newFolder } from '../support/folder.js';
import { useServer } from '../support/server.js';

const server = useServer();
/** Each test starts the program several times. */
vi.setConfig({ testTimeout: 90_000 });
let project: Project;

beforeAll(async () => {
  const migrations = newFolder();
  writeFiles(migrations, { ...numbered('create table note (text text);'), 'seed.txt': 'select 1;' });
  project = await new Project(server.current, { migrations, seed: `${migrations}/seed.txt` }).install();
  await project.do('provision', 'acme', '--plan', 'pro');
});

describe('a mistyped tenant', () => {
  it.each([
    ['show', 'acmee', '--verbose'],
    ['export', 'acm', '--out', 'bag'],
    ['retention', 'hold', 'acm', '--reason', 'lawsuit'],
    ['retention', 'run', 'acmee', '--yes'],
    ['promote', 'amce', '--to', 'database'],
  ])('is answered with the one that was meant, never with how to make it: %s %s %s', async (...args) => {
    const { error } = json(await project.run(...args, '--json'));
    expect(error).toMatchObject({
      code: 'TENANT_UNKNOWN',
      exit: 5,
      hint: 'Did you mean acme? `tenantctl list` shows all tenants.',
    });
  });

  it('that is like no other is answered with the list', async () => {
    const { error } = json(await project.run('show', 'nothing-like-it', '--json'));
    expect(error?.hint).toBe('`tenantctl list` shows all tenants.');
  });
});

describe('set', () => {
  it('says whether anything was to change', async () => {
    const set = async (...args: string[]) => (await project.do('set', 'acme', ...args)).stdout.split('\n')[0];
    expect(await set('--label', 'ring=canary', '--dry-run')).toBe(
      'acme would be changed; nothing was changed',
    );
    expect(await set('--label', 'ring=canary')).toBe('ok acme changed');
    const already = 'ok acme is so already; nothing was changed';
    expect(await set('--label', 'ring=canary')).toBe(already);
    expect(await set('--label', 'ring=canary', '--dry-run')).toBe(already);
    expect(await set('--unlabel', 'nosuch')).toBe(already);
  });
});
