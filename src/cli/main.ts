import { setFlagsFromString } from 'node:v8';
import { TOOL_VERSION } from '../core/version.js';
import type { Command } from './command.js';
import type { Io } from './io.js';

/**
 * Runs one command line and gives its exit code. Nothing here ends the process, so tests call it
 * as often as they like; `commands` is theirs to replace.
 */
export async function run(argv: readonly string[], io: Io, commands?: readonly Command[]): Promise<number> {
  // Answered before anything else is loaded: scripts and shells ask for it all the time.
  if (argv[0] === '--version') return printVersion(argv, io);
  const known = commands ?? (await import('./commands/index.js')).COMMANDS;
  if (asksForProgramHelp(argv) && !io.env['TENANTCTL_JSON']) return printProgramHelp(io, known);
  const { dispatch } = await import('./dispatch.js');
  return dispatch(argv, io, known);
}

/** The plainest way to ask needs no parser, and so does not wait for one. */
function asksForProgramHelp([first, ...rest]: readonly string[]): boolean {
  return rest.length === 0 && (first === undefined || first === '--help' || first === '-h');
}

async function printProgramHelp(io: Io, commands: readonly Command[]): Promise<number> {
  const { programHelp } = await import('./help.js');
  io.stdout.write(programHelp(commands));
  return 0;
}

function printVersion(argv: readonly string[], io: Io): number {
  const document = { version: 1, command: 'version', ok: true, data: { version: TOOL_VERSION } };
  io.stdout.write(`${argv.includes('--json') ? JSON.stringify(document) : TOOL_VERSION}\n`);
  return 0;
}

/** The process entry: the only place where the process ends. */
export async function main(): Promise<void> {
  // PostgreSQL's grammar is WebAssembly, which V8 would compile a second time, for speed: that takes 0.4 s of processor time
  // beside the work, and a thousand files were not parsed any sooner.
  setFlagsFromString('--liftoff-only');
  // Node 24 compiles beside us, and may wait for ever in process.exit() for a compiler that waits for a garbage collection.
  setFlagsFromString('--no-concurrent-sparkplug');
  ignoreClosedPipe(process.stdout);
  ignoreClosedPipe(process.stderr);
  const code = await run(process.argv.slice(2), processIo());
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}

function processIo(): Io {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    // A getter: merely touching stdin opens it.
    get stdin() {
      return process.stdin;
    },
    env: process.env,
    cwd: process.cwd(),
    onSignal(listener) {
      process.on('SIGINT', listener).on('SIGTERM', listener);
      return () => void process.off('SIGINT', listener).off('SIGTERM', listener);
    },
    exitNow: (code) => process.exit(code),
  };
}

/** `tenantctl list | head` closes the pipe early: that is no error, and the work goes on to its end. */
function ignoreClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** On some systems pipes are written in the background; what is still there would be lost at exit. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
