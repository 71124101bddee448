import type { LegalHold, Offboarding } from '../../core/offboarding.js';
import { standingHolds } from '../../engine/catalog/legal-holds.js';
import { openOffboardings } from '../../engine/catalog/offboardings.js';
import type { Fleet } from '../../engine/context.js';
import { toOffboarding } from '../offboard/report.js';

/** What is to be deleted and what must not be. */
export interface RetentionList {
  /** Due now, those on hold left out: what `retention run` would delete. */
  due: Offboarding[];
  /** Not due yet, or not exported yet. */
  scheduled: Offboarding[];
  held: LegalHold[];
}

/** The calendar of deletions, by the clock of the catalog's server. */
export async function listRetention(fleet: Fleet): Promise<RetentionList> {
  return fleet.catalog(async (connection) => {
    const open = (await openOffboardings(connection)).map(toOffboarding);
    const held = await standingHolds(connection);
    const onHold = new Set(held.map(({ tenant }) => tenant));
    const isDue = ({ tenant, due, state }: Offboarding): boolean =>
      due && state !== 'requested' && !onHold.has(tenant);
    return { due: open.filter(isDue), scheduled: open.filter((one) => !isDue(one)), held };
  });
}
