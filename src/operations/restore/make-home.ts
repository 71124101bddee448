import { conflictError } from '../../core/errors.js';
import type { Fleet } from '../../engine/context.js';
import { type LedgerEntry, readLedger } from '../../engine/ledger/entries.js';
import { migrationsFor } from '../../engine/ledger/migration.js';
import { type Admission, type Home, placementOf, readPlacement } from '../../engine/local/placements.js';
import { admissionIfOurs } from '../../engine/tiers/place-taken.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import type { Kit } from '../kit.js';
import { type Bag, rowsOf } from './bag.js';
import { fillOwnHome } from './fill-own-home.js';
import { fillPool } from './fill-pool.js';
import { type Filling, fillingOf } from './filling.js';
import { assertPoolHolds } from './open-pool.js';
import { broughtUp } from './brought-up.js';
import { appliedIn, assertVersion, isFurtherOn, migrationsAtExport } from './version.js';

export interface NewHome {
  bag: Bag;
  home: Home;
  kit: Kit;
  /** Is it to stay at the migration of the export? */
  atExport: boolean;
  /** Does the catalog know the tenant already? */
  known: boolean;
  /** Writes the tenant to the catalog, if it is not there. */
  record(): Promise<void>;
}

/** How a home answers that is full and open. */
export type Standing = Exclude<Admission, 'making'>;

/**
 * Makes a home, fills it from the export, migrates it up and opens it. Again: goes on where it stopped.
 * @returns how the home answers
 */
export async function makeHome(fleet: Fleet, wanted: NewHome): Promise<Standing> {
  const { home, bag, known } = wanted;
  const driver = driverOf(home.placement.tier);
  const filling = fillingOf(fleet, bag, home, (session) => permitFilling(session, home));
  const found = known ? admissionIfOurs(home, await driver.inspect(fleet, home)) : undefined;
  // It was opened only when every row was there.
  if (found !== undefined && found !== 'making') return found;
  fleet.emit(bringsIn(wanted));
  await (driver.facts.sharesUnit ? intoPool(filling, wanted) : intoOwnHome(filling, wanted, found));
  await driver.admit(fleet, home);
  fleet.reach('restore.opened');
  return 'active';
}

function bringsIn({ home, bag }: NewHome) {
  const { tenant, placement } = home;
  const text = `brings in ${rowsOf(bag.manifest)} rows: schema ${placement.schema} of database ${placement.database}`;
  return { type: 'tenant.step', tenant: tenant.id, text } as const;
}

/** A pool that is there is looked at before anything is written down, so that a refusal leaves nothing. */
async function intoPool(filling: Filling, wanted: NewHome): Promise<void> {
  const { fleet, unit } = filling;
  const { kit, home, bag, atExport } = wanted;
  await assertPoolHolds(fleet, home);
  const ledger = await ledgerOf(filling);
  // A pool is made with its first tenant, at the newest migration.
  const applied = ledger.length === 0 ? migrationsFor(kit.migrations, unit.tier) : appliedIn(ledger);
  if (atExport || !isFurtherOn(kit.migrations, bag.manifest, unit, applied)) {
    assertVersion(kit.migrations, bag.manifest, unit, applied);
    return addToPool(filling, wanted, ledger.length === 0);
  }
  const newest = Math.max(...applied.map(({ id }) => id));
  const migrations = kit.migrations.filter(({ id }) => id <= newest);
  return broughtUp(fleet, { bag, home, migrations, permit: permitFilling }, (newer) =>
    addToPool({ ...filling, bag: newer }, wanted, ledger.length === 0),
  );
}

/** @param first is the pool yet to be made? */
async function addToPool(
  filling: Filling,
  { kit, home, known, record }: NewHome,
  first: boolean,
): Promise<void> {
  const { fleet } = filling;
  const driver = driverOf(home.placement.tier);
  let begun = false;
  const begin = async (): Promise<void> => {
    if (begun) return;
    begun = true;
    await record();
    await driver.create(fleet, home, kit.migrations);
    fleet.reach('restore.created');
  };
  // Where the budget has no second session, nothing can be made while one looks.
  if (first || !hasRoom(filling)) await begin();
  await fillPool(filling, {
    replaces: known,
    begin,
    onFilled: () => fleet.reach('restore.filled'),
  });
}

async function intoOwnHome(
  filling: Filling,
  { kit, home, bag, atExport, record }: NewHome,
  found: Admission | undefined,
): Promise<void> {
  const { fleet } = filling;
  const driver = driverOf(home.placement.tier);
  const first = migrationsAtExport(kit.migrations, bag.manifest);
  await record();
  // It is migrated up only after it was filled.
  const filled = found !== undefined && (await ledgerOf(filling)).some(isLater(bag));
  if (!filled) {
    await driver.create(fleet, home, first);
    fleet.reach('restore.created');
    await fillOwnHome(filling, () => fleet.reach('restore.filled'));
  }
  fleet.emit({
    type: 'tenant.step',
    tenant: home.tenant.id,
    text: 'every row is there and as in the export',
  });
  if (!atExport) await driver.create(fleet, home, kit.migrations);
  await driver.describe(fleet, home);
  fleet.reach('restore.migrated');
}

function hasRoom({ fleet, unit }: Filling): boolean {
  const { maxConnections, maxPerDatabase } = fleet.cluster(unit.cluster);
  return Math.min(maxConnections, maxPerDatabase) > 1;
}

function isLater({ manifest }: Bag): (entry: LedgerEntry) => boolean {
  return ({ id }) => id > (manifest.migration?.id ?? 0);
}

function ledgerOf({ fleet, unit }: Filling): Promise<LedgerEntry[]> {
  return fleet.managed(unit.cluster, unit.database, (session) => readLedger(session, unit));
}

/**
 * Rows come only into a home that nobody was let into; the row stays locked until they are there.
 * @throws conflict `HOME_OPEN` (exit 5)
 */
async function permitFilling(session: Connection, home: Home): Promise<void> {
  await session.row(sql`select from tenantctl.placement where ${placementOf(home)} for share`);
  const placed = await readPlacement(session, home);
  if (placed?.state === 'making') return;
  throw conflictError(
    'HOME_OPEN',
    `The home of tenant ${home.tenant.id} is ${placed?.state ?? 'gone'}, not being made.`,
    {
      hint: `Another process has worked on it; \`tenantctl show ${home.tenant.id}\` says how it stands.`,
      facts: { tenant: home.tenant.id, state: placed?.state ?? null },
    },
  );
}
