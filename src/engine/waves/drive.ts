import type { Fleet } from '../context.js';
import { decisionInsert } from '../catalog/run-control.js';
import type { Sql } from '../../pg/sql.js';
import { FailureCount } from './budget.js';
import { RunControl } from './control.js';
import type { RunJob } from './job.js';
import { Journal, writePatiently } from './journal.js';
import type { Stop } from './stop.js';

/** What the parts of one drive of a run share: its journal, its budget, and why it is to stop. */
export class Drive {
  readonly journal: Journal;
  readonly control: RunControl;
  readonly failures: FailureCount;
  /** Aborted when no further unit may start. */
  readonly signal: AbortSignal;
  private readonly halting = new AbortController();
  private reason: Stop | null = null;

  constructor(
    readonly fleet: Fleet,
    readonly job: RunJob,
  ) {
    this.journal = new Journal(fleet, job.run.id);
    this.control = new RunControl(fleet, job.run.id);
    this.failures = new FailureCount(job.run.policy.failureBudget, job.units, job.failed);
    this.signal = AbortSignal.any([this.halting.signal, this.control.signal, fleet.signal]);
  }

  /** Why the drive is to stop, or null. What people decide comes before what the budget says. */
  get stop(): Stop | null {
    const { decided } = this.control;
    if (decided !== undefined) return { kind: 'decided', status: decided.status, reason: decided.reason };
    if (this.reason !== null) return this.reason;
    return this.fleet.signal.aborted ? { kind: 'interrupted' } : null;
  }

  /**
   * Has it only been told to stop, by a signal, a time limit or a pause, with nothing cancelled? Then what is done may
   * still be closed.
   */
  get isDraining(): boolean {
    const { decided } = this.control;
    const paused = decided === undefined || decided.status === 'paused';
    return this.reason === null && paused && !this.fleet.cancelled;
  }

  /** Lets no further unit start. The first reason stands. */
  end(stop: Stop): void {
    this.reason ??= stop;
    this.halting.abort();
  }

  /** A limit is exceeded or a check does not hold: the policy says whether that ends the drive. */
  breach(reason: string): void {
    if (this.job.run.policy.onFailure !== 'continue') this.halt(reason);
  }

  /** Something has failed that no policy bears. */
  halt(reason: string): void {
    if (this.reason !== null) return;
    this.end({ kind: 'halted', reason });
    this.fleet.emit({ type: 'run.halted', reason }, this.job.run.id);
  }

  /** Writes to the catalog, waiting for it when it is away. */
  async write(...statements: Sql[]): Promise<void> {
    await writePatiently(this.fleet, statements);
  }

  /** Keeps a decision with its reason. */
  async decide(decision: string, reason: string): Promise<void> {
    await this.write(decisionInsert(this.job.run.id, decision, reason));
  }

  async close(): Promise<void> {
    await this.control.close();
    await this.journal.flush();
  }
}
