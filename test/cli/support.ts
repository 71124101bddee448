import { PassThrough, Writable } from 'node:stream';
import {
  defineCommand,
  handledBy,
  type Call,
  type Command,
  type CommandSpec,
  type Outcome,
} from '../../src/cli/command.js';
import type { Io } from '../../src/cli/io.js';
import { run } from '../../src/cli/main.js';
import { newFolder } from '../support/folder.js';

export interface Circumstances {
  env?: Record<string, string>;
  cwd?: string;
  /** All three streams are a terminal. */
  terminal?: boolean;
  /** What is typed, or piped in. */
  input?: string;
  commands?: readonly Command[];
}

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** A stream that keeps what is written to it. */
export class Recorder extends Writable {
  text = '';
  isTTY: boolean;

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** An outside world of one's own, with the means to send it signals. */
export function testIo({ env = {}, cwd, terminal = false, input }: Circumstances = {}) {
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  const exits: number[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: terminal });
  if (input !== undefined) stdin.end(input);
  const stdout = new Recorder(terminal);
  const stderr = new Recorder(terminal);
  const io: Io = {
    stdout,
    stderr,
    stdin,
    env,
    cwd: cwd ?? newFolder(),
    onSignal(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    exitNow: (code) => void exits.push(code),
  };
  const send = (signal: NodeJS.Signals) => listeners.forEach((listener) => listener(signal));
  return { io, stdin, stdout, stderr, exits, listeners, send };
}

/** Runs one command line in this process. */
export async function invoke(argv: readonly string[], circumstances: Circumstances = {}): Promise<Result> {
  const { io, stdout, stderr } = testIo(circumstances);
  const code = await run(argv, io, circumstances.commands);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** A command for a test, with a handler of its own. */
export function commandThat(
  handle: (call: Call) => Promise<Outcome> | Outcome,
  more: Partial<CommandSpec> = {},
): Command {
  const spec: CommandSpec = defineCommand({
    path: ['probe'],
    summary: 'a command for a test',
    examples: [{ run: 'tenantctl probe', does: 'test' }],
    needs: 'nothing',
    changes: false,
    ...more,
  });
  return handledBy(spec, () => Promise.resolve({ default: async (call) => handle(call) }));
}

/** The outcome of a handler that has nothing to say. */
export const DONE: Outcome = { data: { done: true }, text: () => 'done' };

/** The one JSON document on stdout; fails when there is anything else. */
export function document(result: Result) {
  const lines = result.stdout.split('\n');
  if (lines.length !== 2 || lines[1] !== '') throw new Error(`not one line on stdout: ${result.stdout}`);
  return JSON.parse(lines[0] as string) as {
    version: number;
    command: string;
    ok: boolean;
    data?: Record<string, unknown>;
    error?: { code: string; exit: number; message: string; hint?: string; facts: Record<string, unknown> };
  };
}
