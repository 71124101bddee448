import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT, TenantctlError, conflictError, partialError } from '../../src/core/errors.js';
import { rememberSecret } from '../../src/core/redact.js';
import { commandThat, document, DONE, invoke } from './support.js';

const URL_WITH_PASSWORD = 'postgres://admin:hunter22@db.example/app';
const failing = (error: unknown) => [
  commandThat(() => {
    throw error;
  }),
];

describe('an expected failure', () => {
  const commands = failing(
    conflictError('NAME_TAKEN', 'The name is taken.', { hint: 'Choose another.', facts: { name: 'acme' } }),
  );

  it('is told on stderr with its hint', async () => {
    const result = await invoke(['probe'], { commands });
    expect(result).toEqual({
      code: 5,
      stdout: '',
      stderr: 'error: The name is taken.\nhint: Choose another.\n',
    });
  });

  it('with exit 10 is no error: what is well and waits says so', async () => {
    const waiting = new TenantctlError(
      'RUN_WAITING',
      EXIT.waiting,
      'The run is well and waits: wave a bakes.',
    );
    expect(await invoke(['probe'], { commands: failing(waiting) })).toEqual({
      code: 10,
      stdout: '',
      stderr: 'waiting: The run is well and waits: wave a bakes.\n',
    });
  });

  it('is a document with --json, and nothing else', async () => {
    const result = await invoke(['probe', '--json'], { commands });
    expect(result.code).toBe(5);
    expect(result.stderr).toBe('');
    expect(document(result)).toEqual({
      version: 1,
      command: 'probe',
      ok: false,
      error: {
        code: 'NAME_TAKEN',
        exit: 5,
        message: 'The name is taken.',
        hint: 'Choose another.',
        facts: { name: 'acme' },
      },
    });
  });

  it('keeps what was done before it', async () => {
    const partial = failing(partialError('HOOK_FAILED', 'A hook failed.', { data: { tenant: 'acme' } }));
    expect(document(await invoke(['probe', '--json'], { commands: partial }))).toMatchObject({
      ok: false,
      error: { exit: 7 },
      data: { tenant: 'acme' },
    });
  });
});

describe('a result with a failure', () => {
  const commands = [commandThat(() => ({ ...DONE, failure: partialError('PART', 'Some failed.') }))];

  it('prints both, each to its stream', async () => {
    expect(await invoke(['probe'], { commands })).toEqual({
      code: 7,
      stdout: 'done\n',
      stderr: 'error: Some failed.\n',
    });
  });

  it('is one document', async () => {
    const parsed = document(await invoke(['probe', '--json'], { commands }));
    expect(parsed).toMatchObject({ ok: false, error: { code: 'PART', exit: 7 }, data: { done: true } });
  });
});

describe('a file that cannot be used', () => {
  it('is named with what the system said, and is no bug', async () => {
    const commands = [
      commandThat(() => {
        readFileSync('/no/such/folder/file');
        return DONE;
      }),
    ];
    const { code, stderr } = await invoke(['probe'], { commands });
    expect(code).toBe(5);
    expect(stderr).toContain('/no/such/folder/file cannot be used: ENOENT: no such file or directory');
    expect(stderr).toContain('hint: Check that its folder is there');
  });

  it('says so where there is no room', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
      path: '/mnt/small/file',
    });
    const { code, stderr } = await invoke(['probe'], { commands: failing(full) });
    expect(code).toBe(5);
    expect(stderr).toContain('There is no room left to write /mnt/small/file.');
  });
});

describe('an unexpected error', () => {
  const commands = failing(new TypeError('x is not a function'));

  it('is called a bug, without a stack', async () => {
    const { code, stderr } = await invoke(['probe'], { commands });
    expect(code).toBe(1);
    expect(stderr).toContain('this is a bug in tenantctl: x is not a function');
    expect(stderr).toContain('report it');
    expect(stderr).not.toContain('    at ');
  });

  it('shows its stack with --verbose', async () => {
    const { stderr } = await invoke(['probe', '--verbose'], { commands });
    expect(stderr).toMatch(/TypeError: x is not a function\n\s+at /);
  });

  it('may be anything that can be thrown', async () => {
    expect((await invoke(['probe'], { commands: failing('a text') })).stderr).toContain('a text');
    expect((await invoke(['probe', '--json'], { commands: failing(undefined) })).code).toBe(1);
  });
});

describe('secrets', () => {
  it('stay out of messages, hints, facts, data and stacks', async () => {
    const error = partialError('X', `Cannot reach ${URL_WITH_PASSWORD}.`, {
      hint: `Try ${URL_WITH_PASSWORD}`,
      facts: { nested: [{ url: URL_WITH_PASSWORD }] },
      data: { url: URL_WITH_PASSWORD },
      cause: new Error(URL_WITH_PASSWORD),
    });
    for (const argv of [['probe'], ['probe', '-v'], ['probe', '--json'], ['probe', '--json', '-v']]) {
      const { stdout, stderr } = await invoke(argv, { commands: failing(error) });
      expect(stdout + stderr).not.toContain('hunter22');
      expect(stdout + stderr).toContain('***');
    }
  });

  it('stay out of results', async () => {
    rememberSecret('s3cr3t-word');
    const outcome = { data: { note: 's3cr3t-word' }, text: () => 's3cr3t-word' };
    const commands = [commandThat(() => outcome)];
    expect((await invoke(['probe'], { commands })).stdout).toBe('***\n');
    expect(document(await invoke(['probe', '--json'], { commands })).data).toEqual({ note: '***' });
  });

  it('are printed only by a command that says so', async () => {
    const commands = [commandThat(() => ({ data: {}, text: () => URL_WITH_PASSWORD, unredacted: true }))];
    expect((await invoke(['probe'], { commands })).stdout).toBe(`${URL_WITH_PASSWORD}\n`);
  });

  it('stay out of events', async () => {
    const commands = [
      commandThat(({ emit }) => {
        emit({ type: 'notice', level: 'warning', code: 'X', message: URL_WITH_PASSWORD });
        return DONE;
      }),
    ];
    for (const argv of [['probe'], ['probe', '--events', '-']]) {
      const { stderr } = await invoke(argv, { commands });
      expect(stderr).toContain('admin:***@db.example');
    }
  });
});

describe('colours', () => {
  const commands = failing(conflictError('X', 'No.'));
  const coloured = async (argv: string[], env: Record<string, string>, terminal: boolean) =>
    (await invoke(argv, { commands, env, terminal })).stderr.includes('\u001B[');

  it('are for terminals that want them', async () => {
    expect(await coloured(['probe'], {}, true)).toBe(true);
    expect(await coloured(['probe'], {}, false)).toBe(false);
    expect(await coloured(['probe'], { TERM: 'dumb' }, true)).toBe(false);
    expect(await coloured(['probe'], { NO_COLOR: '1' }, true)).toBe(false);
    expect(await coloured(['probe', '--no-color'], { FORCE_COLOR: '1' }, true)).toBe(false);
    expect(await coloured(['probe'], { FORCE_COLOR: '1' }, false)).toBe(true);
  });
});
