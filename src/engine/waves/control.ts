import { pause } from '../../core/pause.js';
import { type ControlState, readControl } from '../catalog/run-control.js';
import type { Fleet } from '../context.js';

const LOOK_EVERY_MS = 500;

/**
 * Follows what people decide about a run from other terminals: pause, abort, approval, skipped units. It
 * looks at rows; a catalog that is away for a moment changes nothing.
 */
export class RunControl {
  private readonly ended = new AbortController();
  private readonly looking: Promise<void>;
  private latest: ControlState | undefined;
  private readonly stopped = new AbortController();

  constructor(
    private readonly fleet: Fleet,
    private readonly run: string,
  ) {
    this.looking = this.follow();
  }

  /** Aborted when somebody paused or aborted the run. */
  get signal(): AbortSignal {
    return this.stopped.signal;
  }

  /** How the run stands by somebody's decision; undefined while it may go on. */
  get decided(): ControlState | undefined {
    return this.stopped.signal.aborted ? this.latest : undefined;
  }

  isSkipped(unit: string): boolean {
    return this.latest?.skipped.includes(unit) === true;
  }

  /** Looks now. @throws when the catalog cannot be read */
  async look(): Promise<ControlState> {
    const state = await this.fleet.catalog((connection) => readControl(connection, this.run));
    if (state === undefined) throw new Error(`run ${this.run} is gone`);
    this.latest = state;
    if (state.status !== 'running' && state.status !== 'waiting') this.stopped.abort();
    return state;
  }

  async close(): Promise<void> {
    this.ended.abort();
    await this.looking;
  }

  private async follow(): Promise<void> {
    while (!this.ended.signal.aborted) {
      await pause(LOOK_EVERY_MS, this.ended.signal);
      if (!this.ended.signal.aborted) await this.look().catch(() => undefined);
    }
  }
}
