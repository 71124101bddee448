import type { ScopePlace } from '../../core/certificate.js';
import { conflictError } from '../../core/errors.js';
import { standingHoldOf } from '../../engine/catalog/legal-holds.js';
import type { StoredOffboarding } from '../../engine/catalog/offboardings.js';
import { placementHistory, type TenantRecord, requireTenant } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import {
  type Home,
  admissionUpdate,
  placementInsert,
  strayPlacement,
} from '../../engine/local/placements.js';
import type { Side } from '../../engine/rows/side.js';
import type { TierDriver } from '../../engine/tiers/driver.js';
import { admissionIfOurs, placeTaken, strayHome } from '../../engine/tiers/place-taken.js';
import { driverOf } from '../../engine/tiers/registry.js';
import { homeOf } from '../home.js';
import { carryHolds, onHold } from './hold.js';

/** A tenant whose deletion is at work. */
export interface Departure {
  offboarding: StoredOffboarding;
  record: TenantRecord;
  home: Home;
  driver: TierDriver;
  side: Side;
  /** Homes that it has left. */
  former: Pick<ScopePlace, 'cluster' | 'database' | 'schema'>[];
}

/**
 * Opens a deletion: may it begin, or go on?
 * @throws conflict `TENANT_ON_HOLD`, `TENANT_STATUS` or `EXPORT_MISSING` (exit 5)
 */
export async function openDeparture(fleet: Fleet, offboarding: StoredOffboarding): Promise<Departure> {
  const { tenant } = offboarding;
  const { record, hold, history } = await fleet.catalog(async (connection) => ({
    record: await requireTenant(connection, tenant),
    hold: await standingHoldOf(connection, tenant),
    history: await placementHistory(connection, tenant),
  }));
  if (hold !== undefined) throw onHold(hold);
  if (record.status !== 'offboarding') throw notOffboarding(record);
  if (offboarding.wantsExport && offboarding.export === null) throw exportMissing(tenant);
  const home = homeOf(fleet, record);
  const driver = driverOf(record.tier);
  const side: Side = { name: 'target', home, shared: driver.facts.sharesUnit };
  const former = history.filter(({ until }) => until !== null) as unknown as Departure['former'];
  return { offboarding, record, home, driver, side, former };
}

/**
 * Is there anything to delete? What bears the name of the home, and is not this tenant's by its local placement, is left alone.
 * @throws conflict `PLACE_TAKEN` (exit 5)
 */
export async function isHomeThere(fleet: Fleet, departure: Departure): Promise<boolean> {
  const { driver, home, side, offboarding } = departure;
  const found = await driver.inspect(fleet, home);
  if (found.state === 'foreign' && side.shared && offboarding.state === 'purging')
    return placeAgain(fleet, departure);
  return admissionIfOurs(home, found) !== undefined;
}

/** Its placement goes with its last row; rows that came afterwards are its own, and go as the others did. */
async function placeAgain(fleet: Fleet, { driver, home }: Departure): Promise<boolean> {
  const { cluster, database } = home.placement;
  await fleet.managed(cluster, database, async (session) => {
    const stray = await strayPlacement(session, home);
    if (stray !== undefined) throw placeTaken(home, strayHome(home, stray));
    const { ledgerKey } = driver.unit(home.tenant.id, home.placement);
    await session.atomically([placementInsert(home, ledgerKey), admissionUpdate(home, 'offboarding')]);
  });
  await carryHolds(fleet, home);
  return true;
}

function notOffboarding({ id, status }: TenantRecord) {
  return conflictError(
    'TENANT_STATUS',
    `Tenant ${id} is ${status}, not offboarding; nothing of it is deleted.`,
    {
      hint: `\`tenantctl show ${id}\` says what it is.`,
      facts: { tenant: id, status },
    },
  );
}

function exportMissing(id: string) {
  return conflictError('EXPORT_MISSING', `Tenant ${id} was to be exported before its deletion, and is not.`, {
    hint: `\`tenantctl offboard ${id}\` again finishes that.`,
    facts: { tenant: id },
  });
}
