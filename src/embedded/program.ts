import { spawn } from 'node:child_process';
import type { Account } from './account.js';
import { SERVER_ENVIRONMENT } from './environment.js';

/** How a program ended. It is never an exception: the caller knows best what a failure means. */
export interface Outcome {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** The system's error code when the program could not even be started: EACCES, ENOENT… */
  readonly spawnCode?: string;
}

/** Runs one of PostgreSQL's programs to its end, as the given account, with `input` on its stdin. */
export function runProgram(
  file: string,
  args: readonly string[],
  account: Account,
  input = '',
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { ...account.switchTo, env: SERVER_ENVIRONMENT, cwd: '/' });
    let stdout = '';
    let stderr = '';
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ ok: false, stdout, stderr: stderr || error.message, spawnCode: error.code ?? 'UNKNOWN' }),
    );
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // A program that ends without reading its input breaks the pipe; its status tells the story.
    child.stdin.on('error', () => {});
    child.on('close', (status) => resolve({ ok: status === 0, stdout, stderr }));
    child.stdin.end(input);
  });
}
