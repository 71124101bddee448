import { isDeepStrictEqual } from 'node:util';
import { conflictError, usageError } from '../core/errors.js';
import { type Tenant, parseTenantId } from '../core/tenant.js';
import { auditInsert } from '../engine/catalog/audit.js';
import { isPlanKnown, planUpsert } from '../engine/catalog/places.js';
import {
  type TenantChanges,
  type TenantRecord,
  requireTenant,
  tenantUpdate,
} from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import { readMigrationFiles } from '../engine/formats/registry.js';
import { findMigration } from '../engine/ledger/find.js';
import type { Connection } from '../pg/connection.js';
import { driverOf } from '../engine/tiers/registry.js';
import { homeOf, toTenant } from './home.js';
import { planOf } from './provision-plan.js';
import { alone } from './tenant-lock.js';

/** What is to change; what is left out stays. */
export interface TenantEdit {
  plan?: string;
  owner?: string;
  labels?: Record<string, string>;
  unlabel?: string[];
  /** Number or name of the migration that the tenant's unit is held at. */
  pin?: string;
  unpin?: boolean;
}

/** A tenant as it is, or with `dryRun` as it would be. */
export interface SetTenant {
  tenant: Tenant;
  /** False where it was so already. */
  changed: boolean;
}

/**
 * Changes labels, owner, plan within the tier, or pins a tenant's unit to a version. The home is written
 * first and the catalog after it; the same call again repairs a crash between the two.
 * @throws usage error (exit 2) · configuration error (exit 3) · conflict (exit 5), `TENANT_LOCKED` among them
 */
export async function setTenant(
  fleet: Fleet,
  id: string,
  edit: TenantEdit,
  options: { dryRun: boolean },
): Promise<SetTenant> {
  parseTenantId(id);
  if (!options.dryRun) return alone(fleet, id, (connection) => apply(fleet, connection, id, edit));
  return fleet.catalog(async (connection) => {
    const record = await requireTenant(connection, id);
    const changes = await changesOf(fleet, record, edit);
    const changed = !(await isSo(fleet, connection, record, edit, changes));
    return { tenant: toTenant({ ...record, ...changes }), changed };
  });
}

async function apply(fleet: Fleet, connection: Connection, id: string, edit: TenantEdit): Promise<SetTenant> {
  const record = await requireTenant(connection, id);
  const changes = await changesOf(fleet, record, edit);
  const home = homeOf(fleet, { ...record, ...changes });
  const describe = async (): Promise<void> => {
    if (record.status !== 'provisioning') await driverOf(record.tier).describe(fleet, home);
  };
  if (await isSo(fleet, connection, record, edit, changes)) {
    // Another change may have died between home and catalog.
    await describe();
    return { tenant: toTenant(record), changed: false };
  }
  const audit = { action: 'tenant.set', tenant: id, details: { ...edit } };
  await connection.atomically([auditInsert(fleet.actor, { ...audit, phase: 'intent' })]);
  await describe();
  const plan = planOf(fleet.settings, edit.plan);
  const statements = [tenantUpdate(id, changes), auditInsert(fleet.actor, audit)];
  await connection.atomically(plan === null ? statements : [planUpsert(plan), ...statements]);
  return { tenant: toTenant(await requireTenant(connection, id)), changed: true };
}

/** Whether the catalog has everything as it is wanted, the limits of a named plan among it. */
async function isSo(
  fleet: Fleet,
  connection: Connection,
  { plan, owner, labels, pinnedTo }: TenantRecord,
  edit: TenantEdit,
  changes: TenantChanges,
): Promise<boolean> {
  if (!isDeepStrictEqual({ plan, owner, labels, pinnedTo }, changes)) return false;
  const named = planOf(fleet.settings, edit.plan);
  return named === null || (await isPlanKnown(connection, named));
}

async function changesOf(fleet: Fleet, record: TenantRecord, edit: TenantEdit): Promise<TenantChanges> {
  if (record.status === 'deleted') {
    throw conflictError('TENANT_GONE', `Tenant ${record.id} is deleted.`, { facts: { tenant: record.id } });
  }
  const plan = planOf(fleet.settings, edit.plan);
  if (plan !== null && plan.tier !== record.tier) throw tierDiffers(record, plan.name, plan.tier);
  return {
    plan: plan?.name ?? record.plan,
    owner: edit.owner ?? record.owner,
    labels: labelsOf(record, edit),
    pinnedTo: await pinOf(fleet, record, edit),
  };
}

function labelsOf(record: TenantRecord, { labels = {}, unlabel = [] }: TenantEdit): Record<string, string> {
  const kept = Object.entries({ ...record.labels, ...labels }).filter(([name]) => !unlabel.includes(name));
  return Object.fromEntries(kept);
}

async function pinOf(fleet: Fleet, record: TenantRecord, edit: TenantEdit): Promise<number | null> {
  if (edit.unpin === true) return null;
  if (edit.pin === undefined) return record.pinnedTo;
  if (driverOf(record.tier).facts.sharesUnit) {
    throw conflictError(
      'PIN_SHARED_UNIT',
      `Tenant ${record.id} migrates together with the others of pool ${record.pool}; it cannot be held back alone.`,
      {
        hint: 'Move it to a tier of its own first.',
        facts: { tenant: record.id, pool: record.pool },
      },
    );
  }
  const pinned = findMigration(await readMigrationFiles(fleet.settings.migrations), edit.pin);
  if (pinned.id >= (record.version?.id ?? 0)) return pinned.id;
  throw usageError(
    'PIN_BELOW_VERSION',
    `Tenant ${record.id} is at ${record.version?.name}; it cannot be pinned below that.`,
    {
      hint: 'Roll it back first, or pin it to a newer migration.',
      facts: { tenant: record.id, version: record.version },
    },
  );
}

function tierDiffers(record: TenantRecord, plan: string, tier: string) {
  return conflictError(
    'TIER_DIFFERS',
    `Plan ${plan} is for tier ${tier}; tenant ${record.id} lives in tier ${record.tier}.`,
    {
      hint: '`set` changes the plan within a tier. Nothing was changed.',
      facts: { tenant: record.id, plan, tier: record.tier },
    },
  );
}
