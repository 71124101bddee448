import { describe, expect, it } from 'vitest';
import { nameOf } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { flagOf } from '../../src/cli/option.js';
import { invoke } from './support.js';

describe.each(COMMANDS.map(({ spec }) => [nameOf(spec), spec] as const))('help of %s', (name, spec) => {
  it('shows options, examples and the variables that stand in for flags', async () => {
    const { code, stdout, stderr } = await invoke([...spec.path, '--help']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(spec.examples.length).toBeGreaterThan(0);
    for (const { run } of spec.examples) expect(stdout).toContain(run);
    for (const option of Object.keys(spec.options ?? {})) expect(stdout).toContain(flagOf(option));
    expect(stdout).toContain('--json');
    expect(stdout).toContain('TENANTCTL_CONFIG');
    expect(stdout).toMatchSnapshot();
  });

  it('is the same by way of the help command', async () => {
    const direct = await invoke([...spec.path, '--help']);
    expect((await invoke(['help', ...spec.path])).stdout).toBe(direct.stdout);
  });

  it(`offers --dry-run exactly when ${name} changes something, and never shows --fail-at`, async () => {
    const { stdout } = await invoke([...spec.path, '--help']);
    // `audit list` has an --actor of its own: whose entries are wanted.
    const own = new Set(Object.keys(spec.options ?? {}).map(flagOf));
    for (const flag of ['--dry-run', '--actor', '--reason', '--ticket']) {
      if (own.has(flag)) continue;
      expect(stdout.includes(flag)).toBe(spec.changes);
    }
    expect(stdout).not.toMatch(/^ +--fail-at/m);
  });
});

describe('help of the program', () => {
  it.each([[[]], [['--help']], [['-h']], [['help']]])('lists every command: %j', async (argv) => {
    const { code, stdout } = await invoke(argv);
    expect(code).toBe(0);
    for (const { spec } of COMMANDS) expect(stdout).toContain(`${nameOf(spec)} `);
  });

  it('knows groups', async () => {
    expect((await invoke(['config', '--help'])).stdout).toContain('config schema');
    expect((await invoke(['help', 'dev'])).stdout).toContain('dev fault-points');
  });

  it('is data with --json', async () => {
    const { stdout } = await invoke(['list', '--help', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      data: { help: expect.stringContaining('Usage: tenantctl list') as string },
    });
  });

  it('refuses to explain what is not there', async () => {
    expect(await invoke(['help', 'nothing'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"nothing"') as string,
    });
  });
});

describe('--version', () => {
  it('prints the version, alone or as a document', async () => {
    expect((await invoke(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(JSON.parse((await invoke(['--version', '--json'])).stdout)).toMatchObject({
      ok: true,
      command: 'version',
    });
  });
});
