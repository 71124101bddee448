import { auditInsert } from '../../engine/catalog/audit.js';
import { lockTenant, standingHoldOf } from '../../engine/catalog/legal-holds.js';
import { offboardingProgress, offboardingStep } from '../../engine/catalog/offboardings.js';
import type { Fleet } from '../../engine/context.js';
import { dropPartition, ownPartitions } from '../../engine/retention/partitions.js';
import { asRefusal, permitPurge } from '../../engine/retention/permit.js';
import { purgeRows } from '../../engine/retention/purge-rows.js';
import { Tempo } from '../../engine/retention/tempo.js';
import { derivedViews, refreshView } from '../../engine/retention/views.js';
import { childrenFirst } from '../../engine/rows/reference-order.js';
import { readScope } from '../../engine/rows/scope.js';
import { inSide } from '../../engine/rows/side.js';
import type { Connection } from '../../pg/connection.js';
import { script } from '../../pg/sql.js';
import type { Budget } from './budget.js';
import { type Departure, isHomeThere } from './departure.js';
import { prepareDeletion } from './survey.js';
import { type Evidence, noteKept, noteTable, rowsIn } from './evidence.js';
import { onHold, whileNotHeld } from './hold.js';

/**
 * Records that the deletion has begun, with everything that is to go; from here on there is no way back.
 * @throws conflict `TENANT_ON_HOLD` (exit 5)
 */
export async function beginPurge(fleet: Fleet, departure: Departure, evidence: Evidence): Promise<void> {
  const { offboarding, tenant } = departure.offboarding;
  await fleet.catalogTransaction(async (connection) => {
    await lockTenant(connection, tenant);
    const hold = await standingHoldOf(connection, tenant);
    if (hold !== undefined) throw onHold(hold);
    const begun = [
      offboardingStep(offboarding, 'purging', { progress: { evidence } }),
      auditInsert(fleet.actor, {
        action: 'tenant.purge',
        phase: 'intent',
        tenant,
        details: {
          offboarding,
          rows: rowsIn(evidence.objects),
        },
      }),
    ];
    await connection.message(script(begun));
  });
  fleet.reach('retention.begun');
}

/**
 * Deletes everything of a tenant from its home, and the home. Again, also after a crash: goes on with what is left.
 * @throws conflict `TENANT_ON_HOLD`, `NOT_DUE` or `HOME_OPEN` (exit 5); what was deleted before stays deleted
 */
export async function purgeHome(
  fleet: Fleet,
  departure: Departure,
  evidence: Evidence,
  budget: Budget,
): Promise<void> {
  const { driver, home, side, offboarding } = departure;
  const { tenant } = home;
  try {
    if ((await isHomeThere(fleet, departure)) && side.shared)
      await inSide(fleet, side, offboarding.offboarding, (session) =>
        purgePool(fleet, session, departure, evidence, budget),
      );
    fleet.reach('retention.emptied');
    const permission = permitPurge(home, offboarding.dueAt);
    await whileNotHeld(fleet, tenant.id, () => driver.drop(fleet, home, permission));
  } catch (error) {
    throw asRefusal(error, tenant.id);
  }
  fleet.reach('retention.home-dropped');
}

/** Tables, partitions and views are looked up once more: a migration may have come since the plan. */
async function purgePool(
  fleet: Fleet,
  session: Connection,
  departure: Departure,
  evidence: Evidence,
  budget: Budget,
): Promise<void> {
  const { tenancy, retention } = fleet.settings;
  const { side, offboarding } = departure;
  const scope = await readScope(session, side, tenancy.column, tenancy.shared);
  await prepareDeletion(session, departure, scope);
  for (const partition of await ownPartitions(session, side, scope.tables))
    if (await dropPartition(session, side, offboarding.dueAt, partition)) budget.take(partition.rows);
    else noteKept(evidence, partition.partition);
  await purgeRows({
    session,
    side,
    dueAt: offboarding.dueAt,
    tables: childrenFirst(scope.tables, scope.foreignKeys),
    foreignKeys: scope.foreignKeys,
    tempo: new Tempo(retention.purgeBatch, retention.purgePauseMs),
    breathe: () => budget.assertLeft(),
    onBatch: (rows) => budget.take(rows),
    onTable: async (purged) => {
      noteTable(evidence, purged);
      await keep(fleet, offboarding.offboarding, evidence);
    },
    reach: fleet.reach,
  });
  for (const view of await derivedViews(session, side, scope.tables)) await refreshView(session, view);
}

/** Keeps what is known with the offboarding. */
export async function keep(fleet: Fleet, offboarding: string, evidence: Evidence): Promise<void> {
  await fleet.catalog((connection) => connection.execute(offboardingProgress(offboarding, { evidence })));
}
