import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startLocalServer } from '../../src/embedded/server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of a stopped local server that test files copy (0.2 s instead of 0.7 s). */
    serverTemplate: string;
  }
}

/** Makes one cluster for the whole suite; each test file runs a copy of it. */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-suite-'));
  chmodSync(folder, 0o755);
  const directory = path.join(folder, '.tenantctl');
  const server = await startLocalServer({ directory, lifetime: 'tied' });
  await server.stop();
  project.provide('serverTemplate', directory);
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
}
