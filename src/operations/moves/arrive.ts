import { auditInsert } from '../../engine/catalog/audit.js';
import { unitUpsert, versionUpdate } from '../../engine/catalog/places.js';
import { placementFlip } from '../../engine/catalog/moves.js';
import { statusUpdate } from '../../engine/catalog/tenants.js';
import { newestOf, readLedger } from '../../engine/ledger/entries.js';
import { withAdoption } from '../../engine/local/adopted.js';
import { placementOf, readPlacement } from '../../engine/local/placements.js';
import { inSide } from '../../engine/rows/side.js';
import { stagesOf } from '../../engine/moves/stages.js';
import { type Sql, sql } from '../../pg/sql.js';
import { carryHolds } from '../retention/hold.js';
import type { Drive, End } from './drive.js';
import { runMoveHooks } from './hooks.js';
import { movedTables, receiverOf } from './stream.js';

/** After the point of no return: the new home is opened, and the catalog says where the tenant lives. */
export async function flip(drive: Drive): Promise<void> {
  const { fleet, target, move } = drive;
  await target.driver.admit(fleet, target.home);
  // Plan, labels and holds may have been changed since the home was made.
  await target.driver.describe(fleet, target.home);
  await carryHolds(fleet, target.home);
  await drive.step('flipped', {}, [
    ...(await flipStatements(drive, target)),
    auditInsert(fleet.actor, {
      action: 'tenant.move',
      tenant: move.tenant,
      unit: target.unit.id,
      details: { move: drive.id, method: move.method, from: move.from, to: move.to, rows: move.rows },
    }),
  ]);
  fleet.reach('move.flipped');
}

/** Does a home say that its tenant has moved? It knows before the catalog does. */
export async function hasLeft({ fleet }: Drive, { home }: End): Promise<boolean> {
  const { cluster, database } = home.placement;
  const placed = await fleet.managed(cluster, database, (session) => readPlacement(session, home));
  return placed?.state === 'moved';
}

/** The statements by which the catalog learns that a tenant has arrived. */
export async function flipStatements({ fleet, move }: Drive, { home, unit }: End): Promise<Sql[]> {
  const { cluster, database } = home.placement;
  // The way back may lead to a home that another tool had made.
  const { newest, known } = await fleet.managed(cluster, database, async (session) => ({
    newest: newestOf(await readLedger(session, unit)),
    known: await withAdoption(session, unit),
  }));
  const version = newest === null ? null : { id: newest.id, name: newest.name };
  const arrived = { tenant: move.tenant, ...home.placement, epoch: home.epoch };
  return [
    unitUpsert(known),
    versionUpdate({ unit: unit.id, version }),
    ...placementFlip(move.tenant, { ...home.placement, epoch: home.epoch }, unit.id),
    statusUpdate(move.tenant, 'active'),
    sql`select pg_notify('tenantctl', ${JSON.stringify(arrived)})`,
  ];
}

/** What is left when the tenant has arrived: constraints are proved, its old sessions end, its units are free again. */
export async function settle(drive: Drive): Promise<void> {
  const { fleet, source, target } = drive;
  await conclude(drive, target, source);
  await source.driver.vacate(fleet, source.home, target.home.placement);
  await releaseUnit(drive, source);
  await runMoveHooks(drive, 'afterFlip');
  fleet.reach('move.settled');
  await drive.step('grace');
}

/** Constraints are proved again at the home that the tenant has come to, which may have been migrated since. */
export function conclude(drive: Drive, end: End, other: End): Promise<void> {
  const { fleet, id } = drive;
  return inSide(fleet, end.side, id, async (session) => {
    const tables = await movedTables(drive, end, other, session);
    const receiver = receiverOf(end.side, stagesOf(tables, tables), id);
    // An online move has done so before it let the tenant go over.
    if (drive.move.method !== 'online') await receiver.gatherStatistics(session);
    const unproved = await receiver.conclude(session);
    if (unproved.length > 0) fleet.emit(doesNotHold(end, unproved));
  });
}

/** Whoever was moved with such rows had them before; the constraint holds for every row that is written from now on. */
function doesNotHold({ home: { tenant } }: End, constraints: readonly string[]) {
  return {
    type: 'notice',
    level: 'warning',
    code: 'CONSTRAINT_NOT_PROVED',
    message: `tenant ${tenant.id} has rows that refer to nothing, as it had in its old home: ${constraints.join(', ')} stays NOT VALID`,
  } as const;
}

/** The unit may be migrated again. */
export async function releaseUnit({ fleet }: Drive, { home }: End): Promise<void> {
  const { cluster, database } = home.placement;
  await fleet.managed(cluster, database, (session) =>
    session.execute(
      sql`update tenantctl.placement set status = 'active' where ${placementOf(home)} and status = 'moving'`,
    ),
  );
}
