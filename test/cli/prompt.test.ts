import { describe, expect, it, vi } from 'vitest';
import type { Confirmation } from '../../src/cli/command.js';
import { run } from '../../src/cli/main.js';
import { commandThat, DONE, invoke, testIo } from './support.js';

const ARGUMENTS = { id: { summary: 'id of the tenant' } };

function probe(confirms: Confirmation) {
  const calls: string[] = [];
  const command = commandThat(
    () => {
      calls.push('called');
      return DONE;
    },
    { arguments: ARGUMENTS, changes: true, confirms },
  );
  return { calls, commands: [command] };
}

const plain = () => probe({ question: 'Delete what is left of {id}?' });
const typed = () => probe({ question: 'Delete {id} for good?', typed: 'id' });

describe('without a terminal', () => {
  it.each([
    ['no terminal', {}],
    ['CI on a terminal', { terminal: true, env: { CI: 'true' } }],
  ])('%s: ends at once, names the flag, changes nothing', async (_, circumstances) => {
    const { calls, commands } = plain();
    const { code, stderr } = await invoke(['probe', 'acme'], { ...circumstances, commands });
    expect(code).toBe(2);
    expect(stderr).toContain('--yes');
    expect(stderr).toContain('Nothing was changed');
    expect(calls).toEqual([]);
  });

  it('goes on with --yes, and with --dry-run', async () => {
    for (const flag of ['--yes', '-y', '--dry-run']) {
      const { calls, commands } = plain();
      expect((await invoke(['probe', 'acme', flag], { commands })).code).toBe(0);
      expect(calls).toEqual(['called']);
    }
  });

  it('goes on with the right --confirm only', async () => {
    const right = typed();
    expect((await invoke(['probe', 'acme', '--confirm', 'acme'], { commands: right.commands })).code).toBe(0);
    const wrong = typed();
    const { code, stderr } = await invoke(['probe', 'acme', '--yes', '--confirm', 'acne'], {
      commands: wrong.commands,
    });
    expect(code).toBe(2);
    expect(stderr).toContain('--confirm acne');
    expect(stderr).toContain('hint: If acme is the one that is meant, write --confirm acme');
    expect(wrong.calls).toEqual([]);
  });
});

it('asks only beside the options that make it delete something', async () => {
  const calls: string[] = [];
  const command = commandThat(
    () => {
      calls.push('called');
      return DONE;
    },
    {
      options: {
        into: { type: 'string', value: 'id', summary: 'whose' },
        replace: { type: 'boolean', summary: 'all' },
      },
      changes: true,
      confirms: { question: 'Replace {into}?', typed: 'into', beside: ['into', 'replace'] },
    },
  );
  const commands = [command];
  expect((await invoke(['probe'], { commands })).code).toBe(0);
  expect((await invoke(['probe', '--into', 'acme'], { commands })).code).toBe(0);
  expect((await invoke(['probe', '--into', 'acme', '--replace'], { commands })).code).toBe(2);
  expect(
    (await invoke(['probe', '--into', 'acme', '--replace', '--confirm', 'acme'], { commands })).code,
  ).toBe(0);
  expect(calls).toHaveLength(3);
});

describe('on a terminal', () => {
  const answer = async ({ calls, commands }: ReturnType<typeof probe>, input: string) => {
    const result = await invoke(['probe', 'acme'], { commands, terminal: true, input });
    return { ...result, called: calls.length > 0 };
  };

  it('asks, and takes yes', async () => {
    const result = await answer(plain(), 'y\n');
    expect(result).toMatchObject({ code: 0, called: true });
    expect(result.stderr).toContain('Delete what is left of acme? [y/N]');
    expect(result.stdout).toBe('done\n');
  });

  it.each(['n\n', '\n', 'maybe\n', ''])('takes %j as no', async (input) => {
    expect(await answer(plain(), input)).toMatchObject({ code: 5, called: false });
  });

  it('wants the id typed where something is deleted', async () => {
    expect(await answer(typed(), 'acme\n')).toMatchObject({ code: 0, called: true });
    expect(await answer(typed(), 'y\n')).toMatchObject({ code: 5, called: false });
  });

  it('ends when it is interrupted at the question', async () => {
    const { calls, commands } = plain();
    const { io, send, stderr } = testIo({ terminal: true });
    const ended = run(['probe', 'acme'], io, commands);
    await vi.waitFor(() => expect(stderr.text).toContain('[y/N]'));
    send('SIGTERM');
    expect(await ended).toBe(130);
    expect(calls).toEqual([]);
  });

  it('ends as interrupted after Ctrl-C at the question', async () => {
    const { calls, commands } = plain();
    const { io, stdin, stderr } = testIo({ terminal: true });
    const ended = run(['probe', 'acme'], io, commands);
    await vi.waitFor(() => expect(stderr.text).toContain('[y/N]'));
    stdin.write('\u0003');
    expect(await ended).toBe(130);
    expect(stderr.text).toContain('nothing was changed');
    expect(calls).toEqual([]);
  });
});
