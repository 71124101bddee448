import path from 'node:path';
import { conflictError, isTenantctlError } from '../../core/errors.js';
import type { PublicKey } from '../../core/signature.js';
import { type Tenant, parseTenantId } from '../../core/tenant.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { type TenantRecord, requireTenant } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { readLedger } from '../../engine/ledger/entries.js';
import type { FencedStatus } from '../../engine/local/placements.js';
import { waitForOpenTransactions } from '../../engine/restore/open-transactions.js';
import { pairTables } from '../../engine/restore/pair.js';
import { differencesFrom, sumRestored } from '../../engine/restore/sums.js';
import type { TableSum } from '../../engine/rows/sums.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { Connection } from '../../pg/connection.js';
import { exportHome } from '../export.js';
import { homeOf, toTenant } from '../home.js';
import { loadFleetMigrations } from '../migrations.js';
import { alone } from '../tenant-lock.js';
import { type Bag, openBag, rowsOf } from './bag.js';
import { fillOwnHome } from './fill-own-home.js';
import { fillPool } from './fill-pool.js';
import { type Filling, fillingOf, inFilling, readPairs } from './filling.js';
import { whileNotHeld } from '../retention/hold.js';
import { assertReplaceable, permitReplacing } from './replaceable.js';
import { appliedIn, assertVersion } from './version.js';

/** The rows of a tenant that is there are to be those of an export. */
export interface ReplaceRequest {
  /** The folder of the export. */
  directory: string;
  /** The tenant whose rows go. */
  into: string;
  /** Where what goes is exported first. */
  backup?: string;
  publicKey?: PublicKey;
}

/** What became of it. */
export interface Replaced {
  tenant: Tenant;
  /** Rows that came from the export. */
  rows: number;
  tables: { table: string; rows: number; hash: string }[];
  /** Count and hash of every table were compared with the export in the transaction that replaced the rows. */
  verified: true;
  /** False when the tenant had these rows already. */
  replaced: boolean;
  /** The export of what it had before; null when nothing went. */
  backup: { directory: string; rows: number } | null;
  durationMs: number;
}

/**
 * Puts the rows of an export in the place of those that a tenant has, in one transaction: it has either the old rows or
 * the new ones. It is shut meanwhile, and what it had is exported first. Again after a crash: ends the same.
 * @throws what `openBag` throws · conflict (exit 5) for a tenant on hold, moving or leaving, and when the export of what
 *   it has fails · refusal (exit 6) when the export does not fit · difference error `RESTORE_DIFFERS` (exit 8)
 */
export async function replaceTenant(fleet: Fleet, request: ReplaceRequest): Promise<Replaced> {
  const began = performance.now();
  parseTenantId(request.into);
  const bag = await openBag(request.directory, request.publicKey);
  return alone(fleet, request.into, async (connection) => {
    const record = await requireTenant(connection, request.into);
    const filling = await preflight(fleet, connection, bag, record);
    const tell = (phase: 'intent' | 'done' | 'failed', more: Record<string, unknown> = {}) =>
      connection.atomically([
        auditInsert(fleet.actor, {
          action: 'tenant.restore',
          phase,
          tenant: record.id,
          unit: filling.unit.id,
          details: {
            manifest: bag.manifestSha256,
            from: bag.manifest.tenant.id,
            rows: rowsOf(bag.manifest),
            replace: true,
            ...more,
          },
        }),
      ]);
    await tell('intent');
    const { backup, sums, replaced } = await whileClosed(filling, record, () =>
      replaceRows(filling, record, backupOf(request)),
    ).catch(async (error: unknown) => {
      await tell('failed');
      throw error;
    });
    await tell('done', { backup });
    const tenant = toTenant(await requireTenant(connection, record.id));
    const durationMs = Math.round(performance.now() - began);
    return { tenant, rows: rowsOf(bag.manifest), tables: sums, verified: true, replaced, backup, durationMs };
  });
}

/** Where what a tenant has is exported before it is replaced. */
export function backupOf({ directory, backup, into }: ReplaceRequest): string {
  return backup ?? `${path.resolve(directory)}-replaced-${into}`;
}

/** Everything that can be known before the tenant is shut. */
export async function preflight(
  fleet: Fleet,
  connection: Connection,
  bag: Bag,
  record: TenantRecord,
): Promise<Filling> {
  await assertReplaceable(connection, record);
  const home = homeOf(fleet, record);
  const filling = fillingOf(fleet, bag, home, (session) => permitReplacing(fleet, session, home));
  const migrations = await loadFleetMigrations(fleet);
  await inFilling(filling, async (session) => {
    assertVersion(migrations, bag.manifest, filling.unit, appliedIn(await readLedger(session, filling.unit)));
    await readPairs(filling, session);
  });
  return filling;
}

/** Shuts the home, and opens it again with the status that the catalog has never ceased to say. */
async function whileClosed<T>(
  { fleet, home }: Filling,
  { status }: TenantRecord,
  work: () => Promise<T>,
): Promise<T> {
  const driver = driverOf(home.placement.tier);
  await driver.fence(fleet, home, 'suspended');
  try {
    fleet.emit({
      type: 'tenant.step',
      tenant: home.tenant.id,
      text: 'is shut; readers and writers meet TC002',
    });
    fleet.reach('restore.shut');
    return await work();
  } finally {
    if (!fleet.cancelled) await driver.fence(fleet, home, status as FencedStatus);
    fleet.reach('restore.reopened');
  }
}

async function replaceRows(
  filling: Filling,
  record: TenantRecord,
  backup: string,
): Promise<Pick<Replaced, 'backup' | 'replaced'> & { sums: TableSum[] }> {
  const { fleet, bag, side, home } = filling;
  const present = await inFilling(filling, async (session) => {
    await waitForOpenTransactions(session, side, fleet.signal);
    return sumRestored(session, side, (await readPairs(filling, session)).pairs.tenant);
  });
  const expected = bag.manifest.tables.filter(({ kind }) => kind === 'tenant');
  // A call that was killed may have replaced them, or the tenant never lost any.
  const same = differencesFrom(expected, present).length === 0;
  const saved = same ? null : await exportFirst(filling, backup);
  if (saved !== null) fleet.reach('restore.backed-up');
  const onFilled = (): void => fleet.reach('restore.replaced');
  const { sharesUnit } = driverOf(home.placement.tier).facts;
  const sums = await whileNotHeld(fleet, record.id, () =>
    sharesUnit
      ? fillPool(filling, { replaces: true, begin: () => Promise.resolve(), onFilled })
      : fillOwnHome(filling, onFilled),
  );
  return { sums, replaced: !same, backup: saved };
}

/** Exports what the tenant has. A folder that is there already is good when it holds just that, as after a crash. */
async function exportFirst(
  filling: Filling,
  directory: string,
): Promise<{ directory: string; rows: number }> {
  const { fleet } = filling;
  if (await holdsPresentRows(filling, directory))
    return { directory, rows: rowsOf((await openBag(directory)).manifest) };
  const { manifest } = await exportHome(fleet, filling.home, { directory }).catch((error: unknown) => {
    throw isTenantctlError(error) && error.code === 'EXPORT_TARGET_EXISTS'
      ? backupTaken(directory, error)
      : error;
  });
  return { directory, rows: rowsOf(manifest) };
}

function backupTaken(directory: string, cause: unknown) {
  return conflictError(
    'EXPORT_TARGET_EXISTS',
    `${directory} is there already, and holds other rows than the tenant has now.`,
    {
      hint: 'Nothing was replaced. Name another folder with --backup, or move this one away, and run the same command again.',
      facts: { directory },
      cause,
    },
  );
}

async function holdsPresentRows(filling: Filling, directory: string): Promise<boolean> {
  const found = await openBag(directory).catch(() => undefined);
  if (found === undefined || found.manifest.tenant.id !== filling.home.tenant.id) return false;
  const expected = found.manifest.tables.filter(({ kind }) => kind === 'tenant');
  return inFilling(filling, async (session) => {
    const { scope } = await readPairs(filling, session);
    const pairs = pairTables(found.manifest, scope, filling.side).tenant;
    return differencesFrom(expected, await sumRestored(session, filling.side, pairs)).length === 0;
  });
}
