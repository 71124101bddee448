import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { configError, conflictError, isTenantctlError, partialError } from '../core/errors.js';
import { redact } from '../core/redact.js';
import { substituteVariables } from '../core/sql-variables.js';
import { parseTenantId } from '../core/tenant.js';
import { auditInsert } from '../engine/catalog/audit.js';
import { type TenantRecord, requireTenant } from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import { assertRunnable } from '../engine/ledger/script.js';
import { driverOf } from '../engine/tiers/registry.js';
import { isDatabaseError } from '../pg/errors.js';
import { literal } from '../pg/sql.js';
import { homeOf } from './home.js';
import { scriptFault } from './script-fault.js';

export interface ScriptRequest {
  /** A SQL file. */
  file: string;
  /** Values for `:name` in it, beside `:tenant_id`, `:tenant_slug` and `:owner_email`. */
  variables?: Record<string, string | number>;
}

export interface ScriptReport {
  tenant: string;
  statements: number;
  /** Rows that were inserted, updated or deleted. */
  rows: number;
  durationMs: number;
}

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/**
 * Runs a SQL file in one transaction of a tenant's own session, as its application would: the same file
 * serves every tier and cannot reach another tenant. An error undoes all of it.
 * @throws configuration error (exit 3) for a file that cannot be read, parsed or that begins or ends
 *   transactions itself · conflict (exit 5) when the tenant is not active · partial error `SCRIPT_FAILED`
 *   (exit 7) with file, line and caret
 */
export async function runScript(fleet: Fleet, id: string, request: ScriptRequest): Promise<ScriptReport> {
  parseTenantId(id);
  const began = performance.now();
  const tenant = await fleet.catalog((connection) => requireTenant(connection, id));
  refuseUnlessActive(tenant);
  const script = await readScript(request, tenant);
  const audit = (phase: 'intent' | 'done' | 'failed', details: object = {}) =>
    fleet.catalog((connection) =>
      connection.atomically([
        auditInsert(fleet.actor, {
          action: 'tenant.script',
          phase,
          tenant: id,
          details: { file: path.basename(request.file), ...details },
        }),
      ]),
    );
  await audit('intent');
  try {
    const report = await run(fleet, tenant, request.file, script);
    await audit('done', report);
    return { tenant: id, ...report, durationMs: Math.round(performance.now() - began) };
  } catch (error) {
    await audit('failed').catch(() => undefined);
    throw error;
  }
}

async function run(fleet: Fleet, tenant: TenantRecord, file: string, script: string) {
  const home = homeOf(fleet, tenant);
  try {
    const results = await driverOf(tenant.tier).open(fleet, home, (session) => session.message(script));
    const written = results.filter(({ command }) => WRITES.has(command));
    return { statements: results.length, rows: written.reduce((sum, { rowCount }) => sum + rowCount, 0) };
  } catch (error) {
    if (isTenantctlError(error) || !isDatabaseError(error)) throw error;
    const { text, line } = scriptFault(path.basename(file), script, error);
    throw partialError('SCRIPT_FAILED', redact(`Tenant ${tenant.id}: ${text}`), {
      hint: 'Nothing of the script was kept. Correct it and run it again.',
      facts: { tenant: tenant.id, file, line, sqlstate: error.code },
      cause: error,
    });
  }
}

/** The text as it is sent: variables filled in, and sure not to end our transaction. */
async function readScript({ file, variables = {} }: ScriptRequest, tenant: TenantRecord): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw configError('SCRIPT_UNREADABLE', `The script ${file} cannot be read.`, { facts: { file }, cause });
  });
  const fileName = path.basename(file);
  const values = {
    ...variables,
    tenant_id: tenant.key,
    tenant_slug: tenant.id,
    owner_email: tenant.owner,
  };
  const quoted = Object.entries(values).map(([name, value]) => [name, literal(value)]);
  const sql = substituteVariables(
    text.replaceAll('\r\n', '\n'),
    fileName,
    Object.fromEntries(quoted) as Record<string, string>,
  );
  await assertRunnable({ path: file, fileName, sql });
  return sql;
}

function refuseUnlessActive({ id, status }: TenantRecord): void {
  if (status === 'active') return;
  throw conflictError('TENANT_STATUS', `Tenant ${id} is ${status}; scripts run for active tenants.`, {
    facts: { tenant: id, status },
  });
}
