import { afterEach, describe, expect, it, vi } from 'vitest';
import { differenceError, partialError } from '../../src/core/errors.js';
import type { CommandSpec } from '../../src/cli/command.js';
import { run } from '../../src/cli/main.js';
import { commandThat, document, DONE, invoke, testIo } from './support.js';

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });

afterEach(() => void vi.useRealTimers());

type Handle = Parameters<typeof commandThat>[0];

/** Drains at the first signal and says what was left. */
const drain: Handle = async ({ signal }) => {
  await aborted(signal);
  return { ...DONE, failure: partialError('RUN_PARTIAL', '3 units not visited.') };
};

/** Runs a command until its handler is at work. */
async function started(
  argv: string[],
  handle: Handle = drain,
  terminal = false,
  more: Partial<CommandSpec> = {},
) {
  const world = testIo({ terminal });
  let ended: Promise<number> | undefined;
  await new Promise<void>((begun) => {
    const command = commandThat((call) => {
      begun();
      return handle(call);
    }, more);
    ended = run(argv, world.io, [command]);
  });
  return { ...world, ended };
}

describe('the first signal', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s drains and exits 130 with what was done', async (signal) => {
    const { send, ended, stdout, stderr, listeners } = await started(['probe']);
    send(signal);
    expect(await ended).toBe(130);
    expect(stdout.text).toBe('done\n');
    expect(stderr.text).toContain('finishing what has begun');
    expect(stderr.text).toContain(`Interrupted by ${signal}`);
    expect(listeners.size).toBe(0);
  });

  it('is told among the events of the run that it stops', async () => {
    const { send, ended, stderr } = await started(['probe', '--events', '-'], (call) => {
      const began = { type: 'run.started', kind: 'migrate', units: 1, tenants: 1, target: null } as const;
      call.emit(began, 'run-1');
      return drain(call);
    });
    send('SIGINT');
    await ended;
    const events = stderr.text.split('\n').filter((line) => line.startsWith('{'));
    expect(events.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { type: 'run.started', run: 'run-1' },
      { type: 'notice', code: 'DRAINING', run: 'run-1' },
    ]);
  });

  it('says in the document why and what was left', async () => {
    const { send, ended, stdout } = await started(['probe', '--json']);
    send('SIGINT');
    await ended;
    expect(document({ code: 130, stdout: stdout.text, stderr: '' })).toMatchObject({
      ok: false,
      error: { code: 'INTERRUPTED', exit: 130, facts: { stopped: { code: 'RUN_PARTIAL' } } },
      data: { done: true },
    });
  });

  it('leaves work that still came to its end alone', async () => {
    const { send, ended } = await started(['probe'], async ({ signal }) => {
      await aborted(signal);
      return DONE;
    });
    send('SIGINT');
    expect(await ended).toBe(0);
  });

  it('explains whatever the abort has thrown', async () => {
    const { send, ended } = await started(['probe'], async ({ signal }) => {
      await aborted(signal);
      throw new Error('aborted');
    });
    send('SIGINT');
    expect(await ended).toBe(130);
  });
});

describe('the first signal to a command that only looks', () => {
  const looks = { unless: ['fix'] };
  const options = { fix: { type: 'boolean', summary: 'changes something' } } as const;
  const cancellable: Handle = ({ cancellation }) =>
    new Promise((_, reject) => cancellation.add(async () => reject(new Error('57014'))));

  it('cancels what is running, and promises nothing that it does not keep', async () => {
    const { send, ended, stderr } = await started(['probe'], cancellable, false, { looks, options });
    send('SIGINT');
    expect(await ended).toBe(130);
    expect(stderr.text).toContain('ending the look; Ctrl-C again leaves at once');
    expect(stderr.text).toContain('Interrupted by SIGINT before everything was looked at.');
    expect(stderr.text).toContain('looks at everything from the beginning');
    expect(stderr.text).not.toMatch(/goes on where|what had begun is finished|cancels what is running/);
  });

  it('leaves at once at the second', async () => {
    const stubborn: Handle = ({ cancellation }) => {
      cancellation.add(() => new Promise<never>(() => undefined));
      return new Promise<never>(() => undefined);
    };
    const { send, exits } = await started(['probe'], stubborn, false, { looks, options });
    send('SIGINT');
    expect(exits).toEqual([]);
    send('SIGINT');
    expect(exits).toEqual([130]);
  });

  it('drains where the command is to change something', async () => {
    const { send, ended, stderr } = await started(['probe', '--fix'], drain, false, { looks, options });
    send('SIGINT');
    expect(await ended).toBe(130);
    expect(stderr.text).toContain('what had begun is finished');
  });

  it('hides nothing of a look that came to its end nevertheless', async () => {
    const whole: Handle = async ({ signal }) => {
      await aborted(signal);
      return { ...DONE, failure: differenceError('FOUND', '1 error found.') };
    };
    const { send, ended } = await started(['probe'], whole, false, { looks, options });
    send('SIGINT');
    expect(await ended).toBe(8);
  });
});

describe('a signal before the work has begun', () => {
  it('starts nothing', async () => {
    const { io, send } = testIo();
    let called = false;
    const command = commandThat(() => {
      called = true;
      return DONE;
    });
    const ended = run(['probe'], io, [{ ...command, load: () => (send('SIGINT'), command.load()) }]);
    expect(await ended).toBe(130);
    expect(called).toBe(false);
  });
});

describe('the second signal', () => {
  const stubborn: Handle = () => new Promise<never>(() => undefined);

  it('leaves at once and brings the cursor back where nothing can be cancelled', async () => {
    const { send, exits, stderr } = await started(['probe'], stubborn, true);
    send('SIGINT');
    expect(exits).toEqual([]);
    send('SIGINT');
    expect(exits).toEqual([130]);
    expect(stderr.text).toContain('\u001B[?25h');
  });

  it('cancels what is running, tells so, and lets the command end by itself', async () => {
    const cancellable: Handle = ({ cancellation }) =>
      new Promise((_, reject) => cancellation.add(async () => reject(new Error('57014'))));
    const { send, ended, exits, stderr } = await started(['probe'], cancellable);
    send('SIGINT');
    expect(stderr.text).toContain('Ctrl-C again cancels what is running');
    send('SIGINT');
    expect(await ended).toBe(130);
    expect(exits).toEqual([]);
    expect(stderr.text).toContain('Ctrl-C again leaves at once');
    expect(stderr.text).toContain('Interrupted by a second SIGINT: what was running is cancelled.');
  });

  it('leaves after three seconds when that does not end the command', async () => {
    vi.useFakeTimers();
    const { send, exits } = await started(['probe'], (call) => {
      call.cancellation.add(() => Promise.reject(new Error('the server does not answer')));
      return stubborn(call);
    });
    send('SIGINT');
    send('SIGTERM');
    await vi.advanceTimersByTimeAsync(2_900);
    expect(exits).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(exits).toEqual([130]);
  });

  it('is the last one when it follows --timeout', async () => {
    vi.useFakeTimers();
    const { send, ended } = await started(['probe', '--timeout', '1s'], ({ cancellation }) => {
      return new Promise((_, reject) => cancellation.add(async () => reject(new Error('57014'))));
    });
    await vi.advanceTimersByTimeAsync(1_000);
    send('SIGINT');
    expect(await ended).toBe(130);
  });
});

describe('the third signal', () => {
  it('leaves at once', async () => {
    const { send, exits } = await started(['probe'], ({ cancellation }) => {
      cancellation.add(() => new Promise<never>(() => undefined));
      return new Promise<never>(() => undefined);
    });
    send('SIGINT');
    send('SIGINT');
    expect(exits).toEqual([]);
    send('SIGINT');
    expect(exits).toEqual([130]);
  });
});

describe('--timeout', () => {
  it('drains and exits 11', async () => {
    const { code, stderr } = await invoke(['probe', '--timeout', '20ms'], { commands: [commandThat(drain)] });
    expect(code).toBe(11);
    expect(stderr).toContain('--timeout reached after 20 ms');
  });

  it('does nothing when the work is done before', async () => {
    expect((await invoke(['probe', '--timeout', '1h'], { commands: [commandThat(() => DONE)] })).code).toBe(
      0,
    );
  });
});
