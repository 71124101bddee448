import { copyRows } from '../../pg/copy.js';
import { assertUnchanged, tablesSignature } from '../../engine/moves/alike.js';
import { inFence } from '../../engine/moves/fence.js';
import { raiseSequences } from '../../engine/moves/sequences.js';
import { inSide, tableOf } from '../../engine/rows/side.js';
import { type Stage, prepareStaged, stagesOf } from '../../engine/moves/stages.js';
import type { Stream } from '../../engine/moves/sync.js';
import { ownRows, storedColumns } from '../../engine/rows/tables.js';
import type { TableSum } from '../../engine/rows/sums.js';
import { ident, join, raw, sql } from '../../pg/sql.js';
import { departFrom, measured } from './cut-over.js';
import type { Drive } from './drive.js';
import { runMoveHooks } from './hooks.js';
import { assertFollowed, movedTables, receiverOf, withStream } from './stream.js';
import { equalSums, guardTarget, proofOf } from './travel.js';

/** How the rows of one table get to the other home while writers are held. */
type Carry = (stream: Stream, stage: Stage) => Promise<void>;

/** In one transaction of one database: the rows, the proof and the decision are committed together or not at all. */
export async function moveAtomically(drive: Drive): Promise<void> {
  const { fleet, source, target, id } = drive;
  const tables = await inSide(fleet, source.side, id, (session) =>
    movedTables(drive, source, target, session),
  );
  await inSide(fleet, target.side, id, async (session) => {
    const stages = stagesOf(tables, await movedTables(drive, target, source, session));
    await prepareStaged(session, target.side, stages);
    await moveAtOnce(
      drive,
      {
        move: id,
        from: { side: source.side, session },
        to: { side: target.side, session, receiver: receiverOf(target.side, stages, id) },
        stages,
        signature: await tablesSignature(session, source.side),
        reach: fleet.reach,
      },
      insertRows,
    );
  });
}

/** Between any two homes, with the tenant's writes held for the whole copy. */
export async function moveOffline(drive: Drive): Promise<void> {
  await withStream(drive, drive.source, drive.target, (stream) => moveAtOnce(drive, stream, pipeRows));
}

async function moveAtOnce(drive: Drive, stream: Stream, carry: Carry): Promise<void> {
  const { fleet, source, target, id, move } = drive;
  const { from, to, stages } = stream;
  await assertFollowed(stream);
  await to.receiver.makeReady(to.session);
  await guardTarget(stream);
  await to.receiver.empty(to.session);
  await runMoveHooks(drive, 'beforeCutover');
  drive.say('holds the writes of the tenant, copies and compares');
  let sums: TableSum[] = [];
  const fill = async (): Promise<void> => {
    for (const stage of stages) await carry(stream, stage);
    await to.receiver.settle(to.session);
    sums = await equalSums(stream);
    await raiseSequences(from, to);
    await to.receiver.putBack(to.session);
  };
  const took = await inFence(from.session, move.tenant, { maxPauseMs: null }, async () => {
    await assertUnchanged(stream);
    await (from.session === to.session ? fill() : to.session.transaction(fill));
    fleet.reach('move.drained');
    return departFrom(drive, source, target, stream);
  });
  fleet.reach('move.left');
  await target.driver.admit(fleet, target.home);
  const { changes, statements } = proofOf(id, sums);
  await drive.step('moved', { ...measured(took), ...changes }, statements);
  fleet.reach('move.opened');
}

/** From one server to the other. */
const pipeRows: Carry = async ({ from, to }, stage) => {
  const query = sql`select ${storedColumns(stage.source)} from ${tableOf(from.side, stage.source.name)} x where ${ownRows(from.side, stage.source, 'x')}`;
  await copyRows(from.session, query, to.session, to.receiver.copyInto(stage));
};

/** Within one database; types of the tenant's own schema have the same name in both, and are not the same type. */
const insertRows: Carry = async ({ from, to }, stage) => {
  const stored = stage.target.columns.filter(({ generated }) => !generated);
  const values = stored.map(
    ({ name, type, own }) => sql`${ident('x', name)}${raw(own ? `::text::${type}` : '')}`,
  );
  await to.session.execute(sql`
    insert into ${to.receiver.copyInto(stage)} overriding system value
    select ${join(values)} from ${tableOf(from.side, stage.source.name)} x where ${ownRows(from.side, stage.source, 'x')}`);
};
