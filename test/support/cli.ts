import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/tenantctl.js', import.meta.url));

export interface Ran {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

interface Options {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
}

/** Runs the built program as a user would and waits for its end. */
export function tenantctl(args: readonly string[], options: Options): Promise<Ran> {
  return launch(args, options).ended;
}

/** The built program while it runs. */
export interface Running {
  interrupt(): void;
  /** As `kill -9` does. */
  kill(): void;
  /** Resolves when this has been written to stderr. */
  said(text: string): Promise<void>;
  ended: Promise<Ran>;
}

/** Starts the built program as a user would. */
export function launch(args: readonly string[], options: Options): Running {
  const { CI: _ci, ...inherited } = process.env;
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: options.cwd,
    env: { ...inherited, ...options.env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return {
    ended,
    interrupt: () => void child.kill('SIGINT'),
    kill: () => void child.kill('SIGKILL'),
    async said(text) {
      while (!stderr.includes(text))
        await Promise.race([once(child.stderr, 'data'), endsBefore(text, ended)]);
    },
  };
}

async function endsBefore(text: string, ended: Promise<Ran>): Promise<never> {
  const { code, stderr } = await ended;
  throw new Error(`it ended with ${code} and never said "${text}": ${stderr}`);
}

/** The one JSON document of a `--json` call. */
export function json<T = Record<string, unknown>>(
  ran: Ran,
): { ok: boolean; data: T; error?: { code: string; exit: number; message: string; hint?: string } } {
  return JSON.parse(ran.stdout) as ReturnType<typeof json<T>>;
}
