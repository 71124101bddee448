import { conflictError } from '../../core/errors.js';
import type { MoveReport } from '../../core/move.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { unitForget } from '../../engine/catalog/places.js';
import { newestOf, readLedger } from '../../engine/ledger/entries.js';
import { placementOf } from '../../engine/local/placements.js';
import { cycle } from '../../engine/moves/sync.js';
import { sql } from '../../pg/sql.js';
import { flipStatements, hasLeft, releaseUnit } from './arrive.js';
import { removeCopy, removeHelpers } from './clean-up.js';
import { decideIn, departFrom, patiently } from './cut-over.js';
import type { Drive, End } from './drive.js';
import { runMoveHooks } from './hooks.js';
import { localMove } from './prepare.js';
import { withStream } from './stream.js';
import { equalSums } from './travel.js';

/**
 * Brings a tenant back to its old home in the grace period, with everything it has written since. The same machinery
 * the other way round: the new home marks writes from its first, the old one still has everything else.
 * @throws conflict `MOVE_NOT_IN_GRACE` (exit 5) · `HOMES_APART` (exit 5) when only one of them was migrated since
 */
export async function undoMove(drive: Drive): Promise<void> {
  const { fleet } = drive;
  assertUndoable(drive.move);
  if (drive.move.undo === null) {
    await assertSameVersion(drive);
    await drive.note({ undo: 'syncing', note: null });
    fleet.reach('undo.recorded');
  }
  if (drive.move.undo === 'syncing' && !(await hasLeft(drive, drive.target))) await goBack(drive);
  if (drive.move.undo === 'syncing') await drive.note({ undo: 'moved' });
  if (drive.move.undo === 'moved') await flipBack(drive);
  await finish(drive);
}

async function goBack(drive: Drive): Promise<void> {
  const { fleet, target, returned } = drive;
  await holdBoth(drive);
  drive.say('brings the old home up to date');
  await withStream(drive, target, returned, async (stream) => {
    await stream.to.receiver.makeReady(stream.to.session);
    await cycle(stream);
    await cycle(stream, async () => {
      await equalSums(stream);
    });
    await patiently(drive, stream, () =>
      decideIn(stream, drive.move, () => departFrom(drive, target, returned, stream)),
    );
    fleet.reach('undo.left');
    await reopen(drive);
    fleet.reach('undo.opened');
  });
}

/** No migration comes between: what is at one version is compared at one version. */
async function holdBoth(drive: Drive): Promise<void> {
  for (const end of [drive.source, drive.target]) {
    const { cluster, database } = end.home.placement;
    await drive.fleet.managed(cluster, database, (session) =>
      session.atomically([
        localMove(drive, end),
        sql`update tenantctl.placement set status = 'moving' where ${placementOf(end.home)}`,
      ]),
    );
  }
}

async function reopen({ fleet, returned }: Drive): Promise<void> {
  const { cluster, database } = returned.home.placement;
  await fleet.managed(cluster, database, (session) =>
    session.execute(
      sql`update tenantctl.placement set epoch = ${returned.home.epoch} where ${placementOf(returned.home)}`,
    ),
  );
  await returned.driver.admit(fleet, returned.home, () => Promise.resolve());
}

async function flipBack(drive: Drive): Promise<void> {
  const { fleet, returned, move, id } = drive;
  await reopen(drive);
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
  await withReturned(drive);
  await target.driver.vacate(fleet, target.home, returned.home.placement).catch(() => undefined);
  await runMoveHooks(drive, 'afterUndo');
  await removeCopy(drive, target, returned);
  await removeHelpers(drive, returned);
  await releaseUnit(drive, returned);
  fleet.reach('move.cleaned');
  await drive.step('undone', { note: null }, [unitForget(target.unit.id)]);
}

/** Constraints of the old home are proved again; nobody waits for that. */
async function withReturned(drive: Drive): Promise<void> {
  const { fleet, target, returned } = drive;
  if ((await target.driver.inspect(fleet, target.home)).state !== 'present') return;
  await withStream(drive, target, returned, (stream) => stream.to.receiver.conclude(stream.to.session));
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

async function versionOf({ fleet }: Drive, { home, unit }: End): Promise<number> {
  const { cluster, database } = home.placement;
  return fleet.managed(
    cluster,
    database,
    async (session) => newestOf(await readLedger(session, unit))?.id ?? 0,
  );
}

/** @throws conflict `MOVE_NOT_IN_GRACE` (exit 5) */
export function assertUndoable({ move, tenant, state, from }: MoveReport): void {
  if (state === 'grace') return;
  throw conflictError(
    'MOVE_NOT_IN_GRACE',
    `Move ${move.slice(0, 8)} is ${state}; only a move in its grace period can be undone.`,
    {
      hint:
        state === 'completed'
          ? `The old copy is deleted. \`tenantctl promote ${tenant} --to ${from.tier}\` moves the tenant back.`
          : `\`tenantctl moves show ${move.slice(0, 8)}\` says what can be done with it.`,
      facts: { move, tenant, state },
    },
  );
}
