import pLimit from 'p-limit';
import { Pace } from '../../core/pace.js';
import { pause } from '../../core/pause.js';
import { shortId } from '../../core/short-id.js';
import type { Stream } from '../../engine/moves/sync.js';
import { inSide } from '../../engine/rows/side.js';
import type { Connection } from '../../pg/connection.js';
import { literal, raw, sql } from '../../pg/sql.js';
import type { Drive } from './drive.js';

const LOOKS_BEFORE = 10;
const LOOK_EVERY_MS = 100;
const TELL_EVERY_MS = 10_000;

/** Does a piece of the work, and rests after it for as long as others need. */
export type Paced = (piece: () => Promise<void>) => Promise<void>;

/** One server's: how long a small transaction takes there now. */
interface Gauge {
  cluster: string;
  pace: Pace;
  look: () => Promise<number>;
}

/**
 * Runs the copy of a move and lets it rest while other tenants of its servers wait longer than before it began. What they
 * wait for is measured by a transaction like theirs, of one row that is the move's own.
 */
export async function withBrake<T>(
  drive: Drive,
  stream: Stream,
  work: (paced: Paced) => Promise<T>,
): Promise<T> {
  const { fleet, source, target } = drive;
  const [here, there] = [source.home.placement.cluster, target.home.placement.cluster];
  const mine = await gaugeOf(here, stream.from.session, stream.move, 'source');
  if (here === there) return braked(drive, [mine], work);
  return inSide(fleet, target.side, stream.move, async (session) =>
    braked(drive, [mine, await gaugeOf(there, session, stream.move, 'target')], work),
  );
}

async function braked<T>(
  drive: Drive,
  gauges: readonly Gauge[],
  work: (paced: Paced) => Promise<T>,
): Promise<T> {
  const { signal } = drive.fleet;
  const inTurn = pLimit(1);
  const withRest: Paced = async (piece) => {
    const began = performance.now();
    await piece();
    const worked = performance.now() - began;
    const longest = Math.max(...gauges.map(({ pace }) => pace.restAfter(worked)));
    if (longest >= 1) await pause(longest, signal);
  };
  const paced: Paced = (piece) =>
    gauges.every(({ pace }) => pace.sideBySide) ? withRest(piece) : inTurn(() => withRest(piece));
  const done = new AbortController();
  const watching = watch(drive, gauges, done.signal);
  try {
    return await work(paced);
  } finally {
    done.abort();
    await watching;
  }
}

/** A server that cannot be asked any more is told of by the copy itself. */
async function watch(drive: Drive, gauges: readonly Gauge[], done: AbortSignal): Promise<void> {
  const tell = teller(drive);
  try {
    while (!done.aborted) {
      for (const gauge of gauges) {
        gauge.pace.feel(await gauge.look());
        tell(gauge);
      }
      await pause(LOOK_EVERY_MS, done);
    }
  } catch {
    // See above.
  }
}

function teller({ fleet, id }: Drive): (gauge: Gauge) => void {
  const told = new Map<Gauge, { speed: number; at: number }>();
  return (gauge) => {
    const { cluster, pace } = gauge;
    const last = told.get(gauge) ?? { speed: 100, at: -Infinity };
    const passes = (pace.speed === 100) !== (last.speed === 100);
    if (pace.speed === last.speed || (!passes && performance.now() - last.at < TELL_EVERY_MS)) return;
    told.set(gauge, { speed: pace.speed, at: performance.now() });
    const { nowMs, beforeMs } = pace.strain;
    fleet.emit({
      type: 'notice',
      level: 'info',
      code: 'MOVE_SLOWED',
      message: `move ${shortId(id)} works ${pace.speed} % of its time: a small transaction on cluster ${cluster} takes ${nowMs.toFixed(1)} ms, and took ${beforeMs.toFixed(1)} ms before`,
    });
  };
}

async function gaugeOf(
  cluster: string,
  session: Connection,
  move: string,
  side: 'source' | 'target',
): Promise<Gauge> {
  const look = gauging(session, move, side);
  const before: number[] = [];
  for (let n = 0; n < LOOKS_BEFORE; n += 1) before.push(await look());
  return { cluster, pace: new Pace(before), look };
}

/** The server's own clock: this process may be late by itself while it passes rows on. */
function gauging(session: Connection, move: string, side: string): () => Promise<number> {
  const transaction = sql`update tenantctl.move set driver = driver where move = ${move} and side = ${side}`;
  const body = `declare began timestamptz := clock_timestamp(); begin ${transaction.text()}; commit;
    perform set_config('tenantctl.felt', (extract(epoch from clock_timestamp() - began) * 1000)::text, false); end`;
  const probe = raw(`do ${literal(body)}`);
  return async () => {
    await session.execute(probe);
    const row = await session.row<{ ms: number }>(
      raw(`select current_setting('tenantctl.felt')::float8 as ms`),
    );
    return row?.ms ?? 0;
  };
}
