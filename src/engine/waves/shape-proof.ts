import type { StoredFault } from '../catalog/run-units.js';
import type { Drive } from './drive.js';
import { NO_SUCH_SCHEMA, whyGone } from './gone.js';
import { patiently } from './journal.js';
import type { SurveyedUnit } from './survey.js';

/** What every unit has wrong shows in the first few, before much is done. */
const FIRST = 25;
/** However long a wave takes, looks beside the work take no more than this share of the time. */
const SHARE = 1 / 20;

/**
 * Recorded is not applied: units that a wave has done are compared with what their migrations should have
 * made of them, beside the work on the others. One that differs has failed, although its ledger says
 * otherwise.
 *
 * A look scans the catalogs of a database for one unit as for all, so there are few: at the first units, from time to
 * time in a wave that takes long, and at the end.
 */
export class ShapeProof {
  private readonly waiting: SurveyedUnit[] = [];
  private proving: Promise<void> = Promise.resolve();
  /**
   * When the next look is due, on the clock of `performance`; never while one is under way. Before the first it is the
   * number of units that counts.
   */
  private due: number | undefined;

  constructor(
    private readonly drive: Drive,
    /** Hears of units that are not done after all. */
    private readonly undone: (unit: string, status: 'failed' | 'skipped') => void,
  ) {}

  add(unit: SurveyedUnit): void {
    this.waiting.push(unit);
    if (this.isDue()) this.prove();
  }

  private isDue(): boolean {
    return this.due === undefined ? this.waiting.length >= FIRST : performance.now() >= this.due;
  }

  /** Proves what is left and waits until everything is proved. @throws what reading the shapes threw */
  async finish(): Promise<void> {
    this.prove();
    await this.proving;
  }

  private prove(): void {
    const batch = this.waiting.splice(0);
    this.due = Infinity;
    this.proving = this.proving.then(() => this.proveBatch(batch));
    // Reported by finish(); here it only must not count as unhandled.
    this.proving.catch(() => undefined);
  }

  private async proveBatch(batch: readonly SurveyedUnit[]): Promise<void> {
    if (batch.length === 0) return;
    const began = performance.now();
    const differences = await patiently(() => this.drive.job.help.proveShapes(batch));
    for (const unit of batch) await this.judge(unit, differences.get(unit.unit.id) ?? []);
    const ended = performance.now();
    this.due = ended + (ended - began) / SHARE;
  }

  private async judge(surveyed: SurveyedUnit, differences: readonly string[]): Promise<void> {
    // What could not be read because everything was cancelled is proved by the drive that goes on.
    if (differences.length === 0 || this.drive.fleet.cancelled) return;
    const gone = await whyGone(this.drive.fleet, surveyed, NO_SUCH_SCHEMA);
    if (gone === null) this.fail(surveyed, shapeFault(surveyed, differences));
    else this.note(surveyed, { status: 'skipped', reason: gone, fault: null });
  }

  private fail(surveyed: SurveyedUnit, fault: StoredFault): void {
    this.note(surveyed, { status: 'failed', reason: fault.code, fault });
    const { fleet, job } = this.drive;
    fleet.emit({ type: 'notice', level: 'warning', code: fault.code, message: fault.message }, job.run.id);
    const exceeded = this.drive.failures.note(true);
    if (exceeded !== null) this.drive.breach(exceeded);
  }

  private note({ unit, goal }: SurveyedUnit, outcome: NotDone): void {
    this.drive.journal.ended({ unit: unit.id, to: goal, ms: null, ...outcome }, []);
    this.undone(unit.id, outcome.status);
  }
}

interface NotDone {
  status: 'failed' | 'skipped';
  reason: string;
  fault: StoredFault | null;
}

const SHOWN = 5;

function shapeFault({ unit, goal }: SurveyedUnit, differences: readonly string[]): StoredFault {
  const more = differences.length > SHOWN ? `; and ${differences.length - SHOWN} more` : '';
  return {
    code: 'SHAPE_DIFFERS',
    sqlstate: null,
    message: `${unit.id} is recorded at ${goal?.name ?? 'no migration'}, but is not like the others: ${differences.slice(0, SHOWN).join('; ')}${more}`,
    hint: 'Somebody changed it by hand, or a migration did nothing there. Repair it, then `tenantctl runs retry`.',
    migration: null,
    file: null,
    line: null,
    facts: { differences },
  };
}
