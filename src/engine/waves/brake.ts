import { waveStatusUpdate } from '../catalog/run-control.js';
import { pause } from '../../core/pause.js';
import type { Drive } from './drive.js';
import type { RunWave } from './job.js';
import { patiently } from './journal.js';
import { strainOn, throttles } from './throttle.js';
import { inZone, isOpen, nextOpening } from './window.js';

const LOOK_EVERY_MS = 2_000;

/**
 * Holds units back while the time window is closed or a cluster is under strain. All lanes of a wave
 * share one brake, so that only one of them asks.
 */
export class Brake {
  private cleared = -Infinity;
  private asking: Promise<boolean> | null = null;

  constructor(
    private readonly drive: Drive,
    private readonly wave: RunWave,
  ) {}

  /** Waits until a unit may start. @returns false when none may start any more */
  async release(): Promise<boolean> {
    if (this.drive.signal.aborted) return false;
    if (performance.now() - this.cleared < LOOK_EVERY_MS) return true;
    this.asking ??= this.ask()
      .catch((error: unknown) => this.broken(error))
      .finally(() => (this.asking = null));
    return this.asking;
  }

  private async ask(): Promise<boolean> {
    const free = (await this.window()) && (await this.throttle());
    if (free) this.cleared = performance.now();
    return free && !this.drive.signal.aborted;
  }

  /** Units that have begun end; the error is thrown when they have. */
  private broken(error: unknown): boolean {
    this.drive.end({ kind: 'broken', error });
    return false;
  }

  private async window(): Promise<boolean> {
    const { window } = this.drive.job.run.policy;
    if (window === null || isOpen(window, new Date())) return true;
    const until = nextOpening(window, new Date());
    const reason = `the time window is closed${until === null ? '' : ` until ${inZone(until, window.zone)}`}`;
    const { job } = this.drive;
    await this.drive.write(waveStatusUpdate(job.run.id, this.wave.ordinal, 'awaiting-window'));
    if (!job.wait) {
      this.drive.end({ kind: 'waiting', for: 'window', reason: `wave ${this.wave.name}: ${reason}` });
      return false;
    }
    await this.waitWhile('window', reason, until, async () => !isOpen(window, new Date()));
    await this.drive.write(waveStatusUpdate(job.run.id, this.wave.ordinal, 'running'));
    return !this.drive.signal.aborted;
  }

  private async throttle(): Promise<boolean> {
    const { throttle } = this.drive.job.run.policy;
    if (!throttles(throttle)) return true;
    const clusters = new Set(this.wave.open.map(({ unit }) => unit.cluster));
    const strain = () => patiently(() => strainOn(this.drive.fleet, clusters, throttle));
    const reason = await strain();
    if (reason === null) return true;
    await this.drive.decide('throttled', reason);
    await this.waitWhile('throttle', reason, null, async () => (await strain()) !== null);
    await this.drive.decide('resumed', 'the strain is over');
    return !this.drive.signal.aborted;
  }

  private async waitWhile(
    what: 'window' | 'throttle',
    reason: string,
    until: Date | null,
    held: () => Promise<boolean>,
  ): Promise<void> {
    const { fleet, job, signal } = this.drive;
    fleet.emit(
      { type: 'wave.waiting', wave: this.wave.name, for: what, until: until?.toISOString() ?? null, reason },
      job.run.id,
    );
    do await pause(LOOK_EVERY_MS, signal);
    while (!signal.aborted && (await held()));
    fleet.emit({ type: 'wave.resumed', wave: this.wave.name }, job.run.id);
  }
}
