import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { type TenantctlError, isTenantctlError } from '../../../src/core/errors.js';
import type { Migration } from '../../../src/engine/ledger/migration.js';
import { loadFrom } from '../../support/migrations.js';

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A directory with these files, removed after the tests of the file; a name may hold folders. */
export function directoryOf(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-migrations-'));
  folders.push(folder);
  writeFiles(folder, files);
  return folder;
}

export function writeFiles(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** Migrations 0001, 0002, … with these texts, loaded as the tool loads them. */
export function migrationsOf(...texts: string[]): Promise<Migration[]> {
  return loadFrom(directoryOf(numbered(...texts)));
}

/** `0001_step.sql`, `0002_step.sql`, … */
export function numbered(...texts: string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text, index) => [`${String(index + 1).padStart(4, '0')}_step.sql`, text]),
  );
}

/** The tool's error that `work` ends with; anything else fails the test. */
export async function failureOf(work: Promise<unknown>): Promise<TenantctlError> {
  const outcome = await work.then(
    () => 'it succeeded',
    (error: unknown) => error,
  );
  if (isTenantctlError(outcome)) return outcome;
  throw outcome instanceof Error
    ? outcome
    : new Error(`expected a failure of the tool's own, but ${outcome}`);
}
