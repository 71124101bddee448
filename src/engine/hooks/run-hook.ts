import { type ChildProcess, spawn } from 'node:child_process';
import { formatDuration } from '../../core/duration.js';
import { redact } from '../../core/redact.js';
import type { HookSettings } from '../../core/settings.js';

const KEPT_OUTPUT = 2_000;
/** What a hook has left running may keep its output open; nobody waits for that longer than this. */
const LAST_WORDS_MS = 1_000;

/**
 * Runs a hook: a command with its arguments, no shell, the document as JSON on its standard input.
 * After `timeoutMs` it is ended together with everything that it has started.
 * @returns null when it ended with 0, otherwise one sentence about what went wrong
 */
export function runHook(
  command: readonly string[],
  document: unknown,
  { directory, timeoutMs }: Pick<HookSettings, 'directory' | 'timeoutMs'>,
): Promise<string | null> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    // A group of its own, so that a shell's children can be ended with it.
    const child = spawn(program, args, { cwd: directory, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    let output = '';
    let late = false;
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-KEPT_OUTPUT);
    };
    const limit = setTimeout(() => {
      late = true;
      endGroup(child);
    }, timeoutMs);
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      clearTimeout(limit);
      resolve(`${program} could not be run: ${error.message}`);
    });
    child.on('exit', () => {
      clearTimeout(limit);
      setTimeout(() => hangUp(child), LAST_WORDS_MS).unref();
    });
    child.on('close', (code, signal) =>
      resolve(verdict(program, code, signal, late ? timeoutMs : null, output)),
    );
    // A hook that does not read its input must not end this process with EPIPE.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${JSON.stringify(document)}\n`);
  });
}

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended in this moment.
  }
}

function hangUp(child: ChildProcess): void {
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function verdict(
  program: string,
  code: number | null,
  signal: NodeJS.Signals | null,
  limitMs: number | null,
  output: string,
): string | null {
  if (code === 0) return null;
  const how = limitMs === null ? ended(code, signal) : `was ended after ${formatDuration(limitMs)}`;
  const said = redact(output.trim());
  return said === '' ? `${program} ${how}` : `${program} ${how}: ${said}`;
}

function ended(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}
