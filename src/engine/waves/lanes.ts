import pLimit, { type LimitFunction } from 'p-limit';
import type { PlannedUnit } from './plan.js';

/**
 * Runs units on lanes. An executor only routes: what was done is written by the handler, in the unit's
 * own transaction and in the journal, before it returns. A distributed engine with serial named lanes
 * can take the place of the one below without touching anything else.
 */
export interface LaneExecutor {
  readonly kind: string;
  /** Queues units, each on its lane, in their order. */
  submit(units: readonly PlannedUnit[]): Promise<void>;
  /** Units that have not started will not start; returns how many. */
  cancel(): Promise<number>;
  /** Works until every submitted unit has ended or was cancelled. The handler must not throw. */
  work(handler: (unit: PlannedUnit) => Promise<void>, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Lanes within this process: each a queue that runs one unit at a time. */
export function inProcessLanes(): LaneExecutor {
  const queue: PlannedUnit[] = [];
  return {
    kind: 'local',

    async submit(units) {
      queue.push(...units);
    },

    async cancel() {
      return queue.splice(0).length;
    },

    async work(handler, signal) {
      const lanes = new Map<string, LimitFunction>();
      const laneOf = (name: string): LimitFunction => {
        const lane = lanes.get(name) ?? pLimit(1);
        lanes.set(name, lane);
        return lane;
      };
      const units = queue.splice(0);
      await Promise.all(
        units.map((unit) => laneOf(unit.lane)(async () => (signal.aborted ? undefined : handler(unit)))),
      );
    },

    async close() {
      queue.length = 0;
    },
  };
}
