import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { isTenantctlError, type TenantctlError } from '../../src/core/errors.js';
import type { Environment } from '../../src/config/interpolate.js';
import { loadConfig, type LoadedConfig } from '../../src/config/load.js';
import type { Flags } from '../../src/config/overrides.js';

export const CONTRACT_TEXT = readFileSync(join(import.meta.dirname, 'contract-example.txt'), 'utf8');
export const CONTRACT_ENV = {
  CATALOG_URL: 'postgres://fleet:catalog-pass@db.internal/catalog',
  MAIN_URL: 'postgres://fleet:main-pass@main.internal:5433/postgres',
  TENANTCTL_SIGNING_KEY: 'signing-secret',
};

const made: string[] = [];
afterAll(() => made.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A new folder with these files. */
export function folderWith(files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'tenantctl-config-'));
  made.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

export interface Given {
  env?: Environment;
  flags?: Flags;
  name?: string;
}

/** Loads the text as the configuration file of a new folder. */
export async function loadText(text: string, given: Given = {}): Promise<LoadedConfig> {
  const cwd = folderWith({ [given.name ?? 'tenantctl.config.yaml']: text });
  return await loadConfig({ cwd, env: given.env ?? {}, flags: given.flags ?? {} });
}

/** The error that the promise ends in; a test fails when there is none. */
export async function failureOf(promise: Promise<unknown>): Promise<TenantctlError> {
  const error = await promise.then(
    () => new Error('nothing failed'),
    (reason: unknown) => reason,
  );
  if (isTenantctlError(error)) return error;
  throw error;
}

export interface ToldProblem {
  path: string;
  message: string;
  origin: string;
}

/** The problems of a text that is no valid configuration. */
export async function problemsIn(text: string, given: Given = {}): Promise<ToldProblem[]> {
  const error = await failureOf(loadText(text, given));
  if (error.code !== 'CONFIG_INVALID') throw error;
  return error.facts['problems'] as ToldProblem[];
}

/** The one problem of `catalog: local` with these lines below it, as `path: message`. */
export async function problemOf(lines: string): Promise<string> {
  const problems = await problemsIn(`catalog: local\n${lines}\n`);
  return problems.map(({ path, message }) => `${path}: ${message}`).join('\n');
}
