import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localDirectory } from '../../src/cli/local-directory.js';
import type { GlobalValues } from '../../src/cli/command.js';
import { document, invoke, testIo } from './support.js';
import { newFolder } from '../support/folder.js';

const steps = async (cwd: string) => {
  const { data } = document(await invoke(['init', '--dry-run', '--json'], { cwd }));
  return (data as { plan: { steps: string[] } }).plan.steps;
};

describe('init --dry-run', () => {
  it('names what it would write, and writes nothing', async () => {
    const cwd = newFolder();
    expect(await steps(cwd)).toEqual([
      `write ${join(cwd, 'tenantctl.config.yaml')}`,
      `write ${join(cwd, 'migrations')}`,
      'install the catalog, or bring it up to date',
    ]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('leaves a configuration alone that is there', async () => {
    const cwd = newFolder();
    writeFileSync(join(cwd, 'tenantctl.config.yaml'), 'catalog: local\n');
    expect(await steps(cwd)).toEqual(['install the catalog, or bring it up to date']);
  });
});

describe('init with a catalog that was named', () => {
  // Nobody listens there; the files are written before the catalog is reached for.
  const url = 'postgresql://admin:hunter22@127.0.0.1:1/catalog';

  it.each([
    ['by the flag', ['init', '--catalog', url], {}],
    ['by the variable', ['init'], { TENANTCTL_CATALOG_URL: url }],
  ])('%s: does not send the next command to a local server, and keeps the secret', async (_, argv, env) => {
    const cwd = newFolder();
    const { code, stderr } = await invoke(argv, { cwd, env });
    expect(code).toBe(4);
    expect(stderr).not.toContain('hunter22');
    const text = readFileSync(join(cwd, 'tenantctl.config.yaml'), 'utf8');
    expect(text).toContain('catalog: { url: "${TENANTCTL_CATALOG_URL}" }');
    expect(text).not.toContain('hunter22');
    expect(text).not.toContain('# The local PostgreSQL server');
    expect(stderr).toContain(
      `wrote ${join(cwd, 'tenantctl.config.yaml')} and ${join(cwd, 'migrations')}, and the catalog is not installed yet; the same \`tenantctl init\` again goes on there`,
    );
    expect((await invoke(argv, { cwd, env })).stderr).not.toContain('wrote ');
    expect((await invoke(['list'], { cwd })).code).toBe(3);
    expect(readdirSync(cwd)).not.toContain('.tenantctl');
  });
});

describe('the folder of the local server', () => {
  const at = (cwd: string) => localDirectory(testIo({ cwd }).io, {} as GlobalValues);

  it('is here, or beside the configuration', async () => {
    const cwd = newFolder();
    expect(await at(cwd)).toBe(join(cwd, '.tenantctl'));
    writeFileSync(join(cwd, 'package.json'), '{"tenantctl": {"catalog": "local"}}');
    expect(await at(cwd)).toBe(join(cwd, '.tenantctl'));
  });

  it('is found without checking the configuration: dev must work while it is being repaired', async () => {
    const cwd = newFolder();
    writeFileSync(join(cwd, 'tenantctl.config.yaml'), 'catalog: { url: "${NOWHERE}" }\nunknown: 1\n');
    expect(await at(cwd)).toBe(join(cwd, '.tenantctl'));
    expect((await invoke(['dev', 'status'], { cwd })).stdout).toContain('not running');
  });
});
