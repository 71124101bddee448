import type { Connection } from '../../pg/connection.js';
import { copyRows } from '../../pg/copy.js';
import { literal, raw, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import type { Receiver } from './receiver.js';
import { type Side, inSide, tableOf } from '../rows/side.js';
import type { Stage } from './stages.js';
import { ownRows, storedColumns } from '../rows/tables.js';

/** The first copy of all tables, from one moment of the source. */
export interface CopyJob {
  fleet: Fleet;
  move: string;
  from: Side;
  to: Side;
  receiver: Receiver;
  stages: readonly Stage[];
  /** The target's session, with the staging tables. */
  session: Connection;
  /** Sessions that copy side by side; each needs one on either server. */
  lanes: number;
  /** Tables that an earlier process has copied whole; their later changes are marked. */
  done: ReadonlySet<string>;
  /** Waits while neighbours suffer; throws when the work is to end. */
  breathe: () => Promise<void>;
  onRows: (table: string, rows: number) => void;
  onTable: (table: string, rows: number) => Promise<void>;
}

/** A session that holds a snapshot for others is idle: it says so before the server ends it. */
const SIGN_OF_LIFE_MS = 60_000;
/** How often a copy asks whether others suffer. */
const LOOK_EVERY_MS = 1_000;

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
        return await (job.receiver.parallel
          ? copyInLanes(job, open, snapshot)
          : copyInOne(job, open, keeper));
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

/** Everything by the sessions that there are: a pool takes its rows in one transaction. */
async function copyInOne(job: CopyJob, open: readonly Stage[], source: Connection): Promise<number> {
  const copied: [table: string, rows: number][] = [];
  for (const stage of open)
    copied.push([stage.source.name, await copyTable(job, stage, source, job.session)]);
  await job.session.transaction(() => job.receiver.settle(job.session));
  for (const [table, rows] of copied) await job.onTable(table, rows);
  return copied.reduce((sum, [, rows]) => sum + rows, 0);
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
  await job.session.transaction(() => job.receiver.settle(job.session));
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

async function copyTable(
  job: CopyJob,
  stage: Stage,
  source: Connection,
  target: Connection,
): Promise<number> {
  const { name } = stage.source;
  let looked = -Infinity;
  const pass = async (rows: number): Promise<void> => {
    job.onRows(name, rows);
    if (performance.now() - looked < LOOK_EVERY_MS) return;
    await job.breathe();
    looked = performance.now();
  };
  await job.breathe();
  const query = sql`select ${storedColumns(stage.source)} from ${tableOf(job.from, name)} x where ${ownRows(job.from, stage.source, 'x')}`;
  return copyRows(source, query, target, job.receiver.copyInto(stage), pass);
}
