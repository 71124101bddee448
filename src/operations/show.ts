import type { MoveReport } from '../core/move.js';
import type { LegalHold, Offboarding } from '../core/offboarding.js';
import { type Tenant, parseTenantId } from '../core/tenant.js';
import type { Placement } from '../core/tier.js';
import { standingHoldsOf } from '../engine/catalog/legal-holds.js';
import { openMoveOf } from '../engine/catalog/moves.js';
import { openOffboardingOf } from '../engine/catalog/offboardings.js';
import { placementHistory, requireTenant } from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import { type DatedEntry, readLedger } from '../engine/ledger/entries.js';
import { driverOf } from '../engine/tiers/registry.js';
import { homeOf, toTenant } from './home.js';
import { toReport } from './moves/report.js';
import { toOffboarding } from './offboard/report.js';

export interface TenantDetails {
  tenant: Tenant;
  placement: Placement & { epoch: number; unit: string };
  /** What the tenant's unit has, read from its own database. */
  ledger: DatedEntry[];
  history: Record<string, unknown>[];
  /** Its unfinished move, or null. */
  move: MoveReport | null;
  /** How it is leaving, or null. */
  offboarding: Offboarding | null;
  /** The legal holds that stand on it. */
  held: LegalHold[];
}

/** Everything known of one tenant. @throws conflict `TENANT_UNKNOWN` (exit 5) */
export async function showTenant(fleet: Fleet, id: string): Promise<TenantDetails> {
  parseTenantId(id);
  const { record, history, move, offboarding, held } = await fleet.catalog(async (connection) => ({
    record: await requireTenant(connection, id),
    history: await placementHistory(connection, id),
    move: await openMoveOf(connection, id),
    offboarding: await openOffboardingOf(connection, id),
    held: await standingHoldsOf(connection, id),
  }));
  const { placement, epoch } = homeOf(fleet, record);
  const unit = driverOf(placement.tier).unit(id, placement);
  const ledger =
    record.status === 'provisioning' && record.version === null
      ? []
      : await fleet.managed(unit.cluster, unit.database, (connection) => readLedger(connection, unit));
  return {
    tenant: toTenant(record),
    placement: { ...placement, epoch, unit: unit.id },
    ledger,
    history,
    move: move === undefined ? null : toReport(move),
    offboarding: offboarding === undefined ? null : toOffboarding(offboarding),
    held,
  };
}
