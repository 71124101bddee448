import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { commandThat, document, DONE, invoke } from './support.js';

describe('usage errors', () => {
  it.each([
    [['confg', 'show'], "unknown command 'confg'", 'Did you mean config'],
    [['config', 'shwo'], "unknown command 'shwo'", 'Did you mean show'],
    [['migrate', '--selct', 'x'], "unknown option '--selct'", 'Did you mean --select'],
    [['config'], '"config" wants one more word', 'show|check|schema'],
    [['--quiet'], 'No command was given', '--help'],
    [['show'], "missing required argument 'id'", 'See tenantctl show --help.'],
    [
      ['audit', 'checkpoint', '--out', 'x'],
      "unknown option '--out'",
      'See tenantctl audit checkpoint --help.',
    ],
    [['show', 'a', 'b'], 'too many arguments', ''],
    [['completion', 'tcsh'], "'tcsh' is invalid", ''],
    [['provision', 'a', '--tier', 'row'], '--tier: "row"', 'pool, schema, database'],
    [['provision', 'a', '--plan'], '--plan', ''],
    [['provision', 'a', '--plan', ''], '--plan needs a value', 'leave it out'],
    [['list', '--limit', '0'], '--limit: "0"', 'from 1 upwards'],
    [['list', '--limit', '1e3'], '--limit: "1e3"', ''],
    [['list', '--timeout', '10'], '--timeout: "10"', '250ms'],
  ])('%j exits 2 and names it', async (argv, message, hint) => {
    const { code, stdout, stderr } = await invoke(argv);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(`error: `);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });

  it('name the variable when the value came from one', async () => {
    const { code, stderr } = await invoke(['list'], { env: { TENANTCTL_TIMEOUT: 'soon' } });
    expect(code).toBe(2);
    expect(stderr).toContain('TENANTCTL_TIMEOUT: "soon"');
  });

  it('are a document with --json, wherever it stands', async () => {
    for (const argv of [
      ['--json', 'migrate', '--nope'],
      ['migrate', '--nope', '--json'],
    ]) {
      const result = await invoke(argv);
      expect(document(result)).toMatchObject({
        command: 'migrate',
        ok: false,
        error: { code: 'UNKNOWN_OPTION', exit: 2 },
      });
      expect(result.stderr).toBe('');
    }
    const fromEnv = await invoke(['migrate', '--nope'], { env: { TENANTCTL_JSON: '1' } });
    expect(document(fromEnv).error?.exit).toBe(2);
  });
});

describe('values', () => {
  const seen: unknown[] = [];
  const probe = commandThat(
    (call) => {
      seen.push(call.options, call.global, call.arguments);
      return DONE;
    },
    {
      arguments: { id: { summary: 'an id' } },
      options: {
        tenantKey: { type: 'string', value: 'key', env: 'TENANTCTL_PROBE_KEY', summary: 'a text' },
        count: { type: 'integer', value: 'number', default: 7, summary: 'a number' },
        pause: { type: 'duration', value: 'duration', summary: 'a time' },
        label: { type: 'list', value: 'k=v', summary: 'a list' },
        loud: { type: 'boolean', summary: 'a flag' },
      },
      changes: true,
    },
  );
  const call = async (argv: string[], env: Record<string, string> = {}) => {
    seen.length = 0;
    const result = await invoke(argv, { env, commands: [probe] });
    expect(result).toMatchObject({ code: 0 });
    return seen as [Record<string, unknown>, Record<string, unknown>, Record<string, unknown>];
  };

  it('come typed, with defaults', async () => {
    const [options] = await call([
      'probe',
      'a',
      '--pause',
      '1.5s',
      '--label',
      'a=1',
      '--label=b=2',
      '--loud',
    ]);
    expect(options).toMatchObject({
      count: 7,
      pause: 1_500,
      label: ['a=1', 'b=2'],
      loud: true,
      dryRun: false,
    });
    expect(options['tenantKey']).toBeUndefined();
  });

  it('prefer the flag to the variable', async () => {
    const env = { TENANTCTL_PROBE_KEY: 'from-env' };
    expect((await call(['probe', 'a'], env))[0]).toMatchObject({ tenantKey: 'from-env' });
    expect((await call(['probe', 'a', '--tenant-key', 'flag'], env))[0]).toMatchObject({ tenantKey: 'flag' });
    expect((await call(['probe', 'a'], { TENANTCTL_PROBE_KEY: '' }))[0]['tenantKey']).toBeUndefined();
  });

  it('take global options before and after the command', async () => {
    const [, before] = await call(['-q', '--no-color', '--timeout', '5m', 'probe', 'a']);
    const [, after] = await call(['probe', 'a', '-q', '--no-color', '--timeout', '5m']);
    expect(before).toEqual(after);
    expect(after).toMatchObject({ quiet: true, noColor: true, timeout: 300_000, json: false });
  });

  it('read booleans of variables in either sense', async () => {
    expect((await call(['probe', 'a'], { TENANTCTL_QUIET: 'true' }))[1]).toMatchObject({ quiet: true });
    expect((await call(['probe', 'a'], { TENANTCTL_QUIET: '0' }))[1]).toMatchObject({ quiet: false });
  });

  it('leave consent to the command line', async () => {
    expect((await call(['probe', 'a'], { TENANTCTL_YES: '1' }))[1]).toMatchObject({ yes: false });
  });

  it('may begin with a dash after --', async () => {
    expect((await call(['probe', '--', '-a']))[2]).toEqual({ id: '-a' });
  });
});

describe('every command', () => {
  it.each(COMMANDS.map(({ spec }) => [spec.path.join(' '), spec] as const))(
    '%s gives one JSON document',
    async (name, spec) => {
      const texts = Object.values(spec.arguments ?? {}).map(({ choices }) => choices?.[0] ?? 'acme');
      const words = name === 'help' ? [] : texts;
      const result = await invoke([...spec.path, ...words, '--json', '--config', 'missing.yaml']);
      const parsed = document(result);
      expect(parsed).toMatchObject({ version: 1, command: name });
      expect(result.stderr).toBe('');
      if (spec.needs === 'nothing') return;
      expect(result.code).toBe(3);
      expect(parsed).toMatchObject({ ok: false, error: { code: 'CONFIG_MISSING', exit: 3 } });
    },
  );

  it.each(COMMANDS.filter(({ spec }) => spec.needs !== 'nothing').map(({ spec }) => [spec] as const))(
    '$path without a configuration exits 3 and says what to do',
    async (spec) => {
      const texts = Object.keys(spec.arguments ?? {}).map(() => 'acme');
      const { code, stderr, stdout } = await invoke([...spec.path, ...texts]);
      expect(code).toBe(3);
      expect(stdout).toBe('');
      expect(stderr).toContain('tenantctl init');
    },
  );
});
