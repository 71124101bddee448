import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { configError, isTenantctlError, partialError } from '../core/errors.js';
import { redact } from '../core/redact.js';
import { substituteVariables } from '../core/sql-variables.js';
import { assertRunnable } from '../engine/ledger/script.js';
import type { HomeTenant } from '../engine/local/placements.js';
import type { Connection } from '../pg/connection.js';
import { type DatabaseError, isDatabaseError } from '../pg/errors.js';
import { literal } from '../pg/sql.js';
import { scriptFault } from './script-fault.js';

/** A seed script, read once for as many tenants as are provisioned. */
export interface Seed {
  path: string;
  text: string;
}

/**
 * Reads a seed and makes sure that it can run inside the tenant's transaction.
 * @throws configuration error `SEED_UNREADABLE` and what the parser refuses (exit 3)
 */
export async function readSeed(file: string | null): Promise<Seed | null> {
  if (file === null) return null;
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw configError('SEED_UNREADABLE', `The seed ${file} cannot be read.`, {
      hint: 'Check --seed, which is relative to this folder, or provision.seed, which is relative to the configuration file.',
      facts: { file },
      cause,
    });
  });
  const seed = { path: file, text: text.replaceAll('\r\n', '\n') };
  const sample = scriptFor(seed, { id: 'sample', key: 'sample', owner: null });
  await assertRunnable({ path: file, fileName: path.basename(file), sql: sample });
  return seed;
}

/**
 * Runs a seed in the tenant's session.
 * @throws partial error `SEED_FAILED` with file, line and caret; the transaction is rolled back by the caller
 */
export async function runSeed(session: Connection, seed: Seed, tenant: HomeTenant): Promise<void> {
  const script = scriptFor(seed, tenant);
  try {
    await session.message(script);
  } catch (error) {
    if (isTenantctlError(error) || !isDatabaseError(error)) throw error;
    throw seedFailed(seed, tenant, script, error);
  }
}

function scriptFor(seed: Seed, tenant: Pick<HomeTenant, 'id' | 'key' | 'owner'>): string {
  return substituteVariables(seed.text, path.basename(seed.path), {
    tenant_id: literal(tenant.key),
    tenant_slug: literal(tenant.id),
    owner_email: literal(tenant.owner),
  });
}

function seedFailed(seed: Seed, tenant: HomeTenant, script: string, error: DatabaseError) {
  const { text, line } = scriptFault(path.basename(seed.path), script, error);
  return partialError('SEED_FAILED', redact(`Tenant ${tenant.id}: ${text}`), {
    hint: 'The tenant is still provisioning. Correct the seed and run the same command again.',
    facts: { tenant: tenant.id, file: seed.path, line, sqlstate: error.code },
    cause: error,
  });
}
