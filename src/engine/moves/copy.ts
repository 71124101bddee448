import type { Connection } from '../../pg/connection.js';
import { type Piece, writePiece } from '../../pg/copy-pieces.js';
import { type Sql, literal, raw } from '../../pg/sql.js';
import { copyInOrder } from './copy-in-order.js';
import type { CopyJob } from './copy-job.js';
import { withoutPlainIndexes } from './late-indexes.js';
import { copyInPieces } from './pieces.js';
import { formatOf } from '../rows/row-format.js';
import { inSide } from '../rows/side.js';
import type { Stage } from './stages.js';

/** A session that holds a snapshot for others is idle: it says so before the server ends it. */
const SIGN_OF_LIFE_MS = 60_000;
/** Some hundredths of a second's work: whoever commits meanwhile waits for what it has written to reach the disk. */
const PIECE = { rows: 5_000, bytes: 256 << 10 };

/**
 * Copies every table that is not copied yet. Writers go on: the gate's marks name what changes meanwhile. All tables of
 * one call are read in one exported snapshot.
 * @returns the number of rows
 */
export async function copyTables(job: CopyJob): Promise<number> {
  const open = job.stages.filter(({ source }) => !job.done.has(source.name));
  if (open.length === 0) return 0;
  return inSide(job.fleet, job.from, job.move, (keeper) =>
    keeper.transaction(async () => {
      const snapshot = await exportSnapshot(keeper);
      const timer = setInterval(
        () => void keeper.rows(raw('select 1')).catch(() => undefined),
        SIGN_OF_LIFE_MS,
      );
      try {
        return await (job.receiver.order === null
          ? copyInLanes(job, open, snapshot)
          : copyInOrder(job, await job.receiver.order(job.session), keeper));
      } finally {
        clearInterval(timer);
      }
    }, 'begin isolation level repeatable read read only'),
  );
}

async function exportSnapshot(keeper: Connection): Promise<string> {
  const row = await keeper.row<{ snapshot: string }>(raw('select pg_export_snapshot() as snapshot'));
  return (row as { snapshot: string }).snapshot;
}

/** Tables one after the other in each lane, side by side in several. */
async function copyInLanes(job: CopyJob, open: readonly Stage[], snapshot: string): Promise<number> {
  const queue = [...open];
  let rows = 0;
  const lane = (): Promise<void> =>
    inSide(job.fleet, job.from, job.move, (source) =>
      inSide(job.fleet, job.to, job.move, (target) =>
        inSnapshot(source, snapshot, async () => {
          for (let stage = queue.shift(); stage !== undefined; stage = queue.shift()) {
            const copied = await copyTable(job, stage, source, target);
            rows += copied;
            await job.onTable(stage.source.name, copied);
          }
        }),
      ),
    );
  await allOrFirstFailure(Array.from({ length: Math.min(job.lanes, open.length) }, lane), () =>
    queue.splice(0),
  );
  return rows;
}

function inSnapshot(session: Connection, snapshot: string, work: () => Promise<void>): Promise<void> {
  const begin = `begin isolation level repeatable read read only; set transaction snapshot ${literal(snapshot)}`;
  return session.transaction(work, begin);
}

/** When one lane fails, the others end their table and take no other; then the failure is told. */
async function allOrFirstFailure(lanes: readonly Promise<void>[], stop: () => unknown): Promise<void> {
  const watched = lanes.map((lane) =>
    lane.catch((error: unknown) => {
      stop();
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(watched);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/** One table, in one transaction: what is taken away of a large one is there again when it ends, in whatever way. */
async function copyTable(
  job: CopyJob,
  stage: Stage,
  source: Connection,
  target: Connection,
): Promise<number> {
  await job.breathe();
  const into = job.receiver.copyInto(stage);
  return target.transaction(async () => {
    let indexes: Sql[] | undefined;
    const pieces = { ...PIECE, format: formatOf(stage.source, stage.target, source, target) };
    const rows = await copyInPieces(job, stage, source, pieces, async (piece) => {
      indexes ??= isWhole(piece) ? await withoutPlainIndexes(target, job.to, stage.target.name) : [];
      await writePiece(target, into, piece);
    });
    for (const statement of indexes ?? [])
      await job.paced(async () => void (await target.execute(statement)));
    return rows;
  });
}

/** Is there as much in it as a piece may hold, so that others will follow? */
function isWhole({ rows, bytes }: Piece): boolean {
  return rows >= PIECE.rows || bytes >= PIECE.bytes;
}
