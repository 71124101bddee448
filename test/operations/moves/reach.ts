import type { FaultPoint } from '../../../src/core/faults.js';
import { Fleet } from '../../../src/engine/context.js';
import type { MovingFleet } from './fleet.js';

/** Runs `work` as another process, which does something whenever it reaches a point. */
export async function withReach<T>(
  { settings, fleet }: MovingFleet,
  point: FaultPoint,
  does: () => unknown,
  work: (process: Fleet) => Promise<T>,
): Promise<{ value?: T; error?: unknown }> {
  const process = new Fleet(settings, {
    ...fleet.options,
    reach: (reached) => {
      if (reached === point) does();
    },
  });
  try {
    return { value: await work(process) };
  } catch (error) {
    return { error };
  } finally {
    await process.close();
  }
}
