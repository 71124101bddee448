import { shortId } from '../../core/short-id.js';
import { EXIT, conflictError, isTenantctlError } from '../../core/errors.js';
import type { MoveReport } from '../../core/move.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { unitForget } from '../../engine/catalog/places.js';
import { placementOf, readStatus } from '../../engine/local/placements.js';
import { guardLateTables, markEveryRow } from '../../engine/moves/late-tables.js';
import { stagesOf } from '../../engine/moves/stages.js';
import { type Stream, cycle } from '../../engine/moves/sync.js';
import { inSide } from '../../engine/rows/side.js';
import type { TenantTable } from '../../engine/rows/tables.js';
import { sql } from '../../pg/sql.js';
import { assertNotHeld, carryHolds } from '../retention/hold.js';
import { conclude, flipStatements, hasLeft, releaseUnit } from './arrive.js';
import { removeCopy, removeHelpers } from './clean-up.js';
import { decideIn, departFrom, patiently } from './cut-over.js';
import type { Drive, End } from './drive.js';
import { runMoveHooks } from './hooks.js';
import { betweenMigrations, localMove } from './prepare.js';
import { refusedRow } from './refused-row.js';
import { assertFollowed, movedTables, receiverOf, withStream } from './stream.js';
import { equalSums } from './travel.js';
import { plannedVersion, versionOf } from './version.js';

/**
 * Brings a tenant back to its old home in the grace period, with everything it has written since. The same machinery
 * the other way round: the new home marks writes from its first, the old one still has everything else.
 * @throws conflict `MOVE_NOT_IN_GRACE` (exit 5) · `HOMES_APART` (exit 5) when only one of them was migrated since ·
 *   `TENANT_ON_HOLD` (exit 5)
 */
export async function undoMove(drive: Drive): Promise<void> {
  const { fleet } = drive;
  assertUndoable(drive.move);
  if (drive.move.undo === null) {
    // Rows that the tenant has deleted since it moved are in the old copy alone, and go there as well now.
    await assertNotHeld(fleet, drive.move.tenant);
    await assertWayBack(drive);
    await assertSameVersion(drive);
    await drive.note({ undo: 'syncing', note: null });
    fleet.reach('undo.recorded');
  }
  if (drive.move.undo === 'syncing' && !(await hasLeft(drive, drive.target))) {
    await orStay(drive, async () => {
      await standStill(drive);
      await goBack(drive);
    });
  }
  if (drive.move.undo === 'syncing') await drive.note({ undo: 'moved' });
  if (drive.move.undo === 'moved') await flipBack(drive);
  await finish(drive);
}

/** The tenant is served where it is, and nobody has begun to delete its old copy. */
async function assertWayBack(drive: Drive): Promise<void> {
  const { fleet, source, target, move } = drive;
  const statusAt = async ({ driver, home }: End): Promise<string | undefined> => {
    const { cluster, database } = home.placement;
    if ((await driver.inspect(fleet, home)).state !== 'present') return undefined;
    return fleet.managed(cluster, database, (session) => readStatus(session, home));
  };
  if ((await statusAt(source)) !== 'active')
    throw conflictError(
      'MOVE_BEING_COMPLETED',
      `The old copy of tenant ${move.tenant} is being deleted, so there is no way back to it.`,
      {
        hint: `\`tenantctl moves complete ${move.tenant}\` finishes that; \`tenantctl promote ${move.tenant} --to ${move.from.tier}\` moves the tenant back.`,
        facts: { move: drive.id, tenant: move.tenant },
      },
    );
  const status = await statusAt(target);
  if (status !== 'active')
    throw conflictError(
      'TENANT_STATUS',
      `Tenant ${move.tenant} is ${status ?? 'gone'}; only an active tenant is moved.`,
      {
        hint: `\`tenantctl activate ${move.tenant}\` opens it again.`,
        facts: { tenant: move.tenant, status },
      },
    );
}

async function goBack(drive: Drive): Promise<void> {
  const { fleet, target, returned } = drive;
  drive.say('brings the old home up to date');
  await withStream(drive, target, returned, async (stream) => {
    await assertFollowed(stream);
    await stream.to.receiver.makeReady(stream.to.session);
    await cycle(stream);
    await bringLevel(drive, stream);
    await patiently(drive, stream, () =>
      decideIn(stream, drive.move, () => departFrom(drive, target, returned, stream)),
    );
    fleet.reach('undo.left');
    await reopen(drive);
    fleet.reach('undo.opened');
  });
}

/** No migration comes between: what is at one version is compared at one version. Every table of both is followed. */
async function standStill(drive: Drive): Promise<void> {
  const { id, target, returned } = drive;
  for (const end of [drive.source, target])
    await betweenMigrations(drive, end, async (session) => {
      await session.atomically([
        localMove(drive, end),
        sql`update tenantctl.placement set status = 'moving' where ${placementOf(end.home)}`,
      ]);
    });
  await assertSameVersion(drive);
  await withStream(drive, target, returned, ({ from, to, stages }) =>
    guardLateTables(
      from,
      to,
      id,
      stages.map(({ source }) => source),
    ),
  );
}

const REFUSALS: ReadonlySet<number> = new Set([EXIT.conflict, EXIT.refused, EXIT.difference]);

/** A refusal, by us or by the home; whoever was taken over has nothing to put in order. */
function staysWhole(error: unknown): boolean {
  return isTenantctlError(error) && error.code !== 'MOVE_TAKEN_OVER' && REFUSALS.has(error.exit);
}

/**
 * What is refused before the tenant has left leaves the move in its grace period, and its units to migrations: it can be
 * undone again or completed. What was carried until then is in the old home, and marks go on naming what is not.
 */
async function orStay(drive: Drive, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const told = refusedRow(error, drive);
    // Should that fail as well, the way back stays open to `moves resume`, and the first reason is what is told.
    if (staysWhole(told) && !(await hasLeft(drive, drive.target))) await stay(drive).catch(() => undefined);
    throw told;
  }
}

async function stay(drive: Drive): Promise<void> {
  await standAsBefore(drive);
  for (const end of [drive.source, drive.target]) await releaseUnit(drive, end);
  await drive.note({ undo: null });
}

/** What was set aside at the old home for rows that were to come: migrations go on there, and expect it. */
async function standAsBefore(drive: Drive): Promise<void> {
  const { fleet, returned, target, id } = drive;
  await inSide(fleet, returned.side, id, async (session) => {
    const tables = await movedTables(drive, returned, target, session);
    const receiver = receiverOf(returned.side, stagesOf(tables, tables), id);
    await session.transaction(() => receiver.putBack(session));
  });
  await conclude(drive, returned, target);
}

/**
 * Compares every row of both homes at one moment. A migration in the grace period may have given each of them values of
 * its own, as a default of gen_random_uuid() does: the tables that differ are carried over whole, once each.
 */
async function bringLevel(drive: Drive, stream: Stream): Promise<void> {
  const migrated = (await versionOf(drive, drive.target)) !== (await plannedVersion(drive));
  for (const carried = new Set<TenantTable>(); ;) {
    try {
      await cycle(stream, async () => {
        await equalSums(stream);
      });
      return;
    } catch (error) {
      const name =
        isTenantctlError(error) && error.code === 'MOVE_DIFFERS' ? error.facts['table'] : undefined;
      const table = stream.stages.find(({ source }) => source.name === name)?.source;
      if (!migrated || table === undefined || table.key.length === 0 || carried.has(table)) throw error;
      carried.add(table);
      await markEveryRow(stream.from, stream.to, stream.move, table);
    }
  }
}

async function reopen({ fleet, returned }: Drive): Promise<void> {
  const { cluster, database } = returned.home.placement;
  await fleet.managed(cluster, database, (session) =>
    session.execute(
      sql`update tenantctl.placement set epoch = ${returned.home.epoch} where ${placementOf(returned.home)}`,
    ),
  );
  await returned.driver.fence(fleet, returned.home, 'active');
}

async function flipBack(drive: Drive): Promise<void> {
  const { fleet, returned, move, id } = drive;
  await reopen(drive);
  // Plan, labels and holds may have been changed since the tenant left.
  await returned.driver.describe(fleet, returned.home);
  await carryHolds(fleet, returned.home);
  await drive.note({ undo: 'flipped' }, [
    ...(await flipStatements(drive, returned)),
    auditInsert(fleet.actor, {
      action: 'tenant.move-undone',
      tenant: move.tenant,
      unit: returned.unit.id,
      details: { move: id, from: move.to, to: move.from },
    }),
  ]);
  fleet.reach('undo.flipped');
}

async function finish(drive: Drive): Promise<void> {
  const { fleet, returned, target } = drive;
  await conclude(drive, returned, target);
  // A pool that was left is migrated again while the copy in it is deleted.
  if (target.side.shared) await releaseUnit(drive, target);
  // Whoever is still there finds the doors shut, and after a crash the home may be gone already.
  await target.driver.vacate(fleet, target.home, returned.home.placement).catch(() => undefined);
  await runMoveHooks(drive, 'afterUndo');
  await removeCopy(drive, target, returned);
  await removeHelpers(drive, returned);
  await releaseUnit(drive, returned);
  fleet.reach('move.cleaned');
  await drive.step('undone', { note: null }, [unitForget(target.unit.id)]);
}

async function assertSameVersion(drive: Drive): Promise<void> {
  const [here, there] = [await versionOf(drive, drive.target), await versionOf(drive, drive.source)];
  if (here === there) return;
  throw conflictError(
    'HOMES_APART',
    `The homes of tenant ${drive.move.tenant} are at migrations ${here} and ${there}; only homes at one version can follow each other.`,
    {
      hint: 'Run `tenantctl migrate`, which brings both to one version, or `tenantctl rollback`; then undo again.',
      facts: { move: drive.id, new: here, old: there },
    },
  );
}

/** @throws conflict `MOVE_NOT_IN_GRACE` (exit 5) */
export function assertUndoable({ move, tenant, state, from }: MoveReport): void {
  if (state === 'grace') return;
  throw conflictError(
    'MOVE_NOT_IN_GRACE',
    `Move ${shortId(move)} is ${state}; only a move in its grace period can be undone.`,
    {
      hint:
        state === 'completed'
          ? `The old copy is deleted. \`tenantctl promote ${tenant} --to ${from.tier}\` moves the tenant back.`
          : `\`tenantctl moves show ${shortId(move)}\` says what can be done with it.`,
      facts: { move, tenant, state },
    },
  );
}
