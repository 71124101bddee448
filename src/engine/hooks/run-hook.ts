import { spawn } from 'node:child_process';
import { formatDuration } from '../../core/duration.js';
import { redact } from '../../core/redact.js';

const KEPT_OUTPUT = 2_000;

/**
 * Runs a hook: a command with its arguments, no shell, the document as JSON on its standard input.
 * @returns null when it ended with 0, otherwise one sentence about what went wrong
 */
export function runHook(
  command: readonly string[],
  document: unknown,
  timeoutMs: number,
): Promise<string | null> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-KEPT_OUTPUT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve(`${program} could not be run: ${error.message}`));
    child.on('close', (code, signal) => resolve(verdict(program, code, signal, timeoutMs, output)));
    // A hook that does not read its input must not end this process with EPIPE.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${JSON.stringify(document)}\n`);
  });
}

function verdict(
  program: string,
  code: number | null,
  signal: NodeJS.Signals | null,
  timeoutMs: number,
  output: string,
): string | null {
  if (code === 0) return null;
  const how = signal === 'SIGKILL' ? `was ended after ${formatDuration(timeoutMs)}` : ended(code, signal);
  const said = redact(output.trim());
  return said === '' ? `${program} ${how}` : `${program} ${how}: ${said}`;
}

function ended(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}
