import pLimit from 'p-limit';
import type { StoredFault } from '../catalog/run-units.js';
import type { Drive } from './drive.js';
import { patiently } from './journal.js';
import type { SurveyedUnit } from './survey.js';

/** Units whose shapes are read together: one query, and one scan of the database's catalogs, for so many of them. */
const BATCH = 250;
/** Batches that are read at once: when the lanes are done there is nothing else to do. */
const AT_ONCE = 2;

/**
 * Recorded is not applied: units that a wave has done are compared with what their migrations should have
 * made of them, beside the work on the others. One that differs has failed, although its ledger says
 * otherwise.
 */
export class ShapeProof {
  private readonly waiting: SurveyedUnit[] = [];
  private readonly lane = pLimit(AT_ONCE);
  private readonly proving: Promise<void>[] = [];

  constructor(
    private readonly drive: Drive,
    private readonly differs: (unit: string) => void,
  ) {}

  add(unit: SurveyedUnit): void {
    this.waiting.push(unit);
    if (this.waiting.length >= BATCH) this.prove();
  }

  /** Proves what is left and waits until everything is proved. @throws what reading the shapes threw */
  async finish(): Promise<void> {
    this.prove();
    await Promise.all(this.proving);
  }

  private prove(): void {
    const batch = this.waiting.splice(0);
    if (batch.length === 0) return;
    const [first] = this.proving;
    const proving =
      first === undefined
        ? this.proveBatch(batch)
        : this.lane(() => first.then(() => this.proveBatch(batch)));
    // Reported by finish(); here it only must not count as unhandled.
    proving.catch(() => undefined);
    this.proving.push(proving);
  }

  /** The first batch settles what the others are compared with. */
  private async proveBatch(batch: readonly SurveyedUnit[]): Promise<void> {
    const differences = await patiently(() => this.drive.job.help.proveShapes(batch));
    for (const unit of batch) this.judge(unit, differences.get(unit.unit.id) ?? []);
  }

  private judge(surveyed: SurveyedUnit, differences: readonly string[]): void {
    // What could not be read because everything was cancelled is proved by the drive that goes on.
    if (differences.length === 0 || this.drive.fleet.cancelled) return;
    const fault = shapeFault(surveyed, differences);
    const outcome = {
      unit: surveyed.unit.id,
      status: 'failed' as const,
      reason: fault.code,
      to: surveyed.goal,
      fault,
      ms: null,
    };
    this.drive.journal.ended(outcome, []);
    this.differs(surveyed.unit.id);
    const { fleet, job } = this.drive;
    fleet.emit({ type: 'notice', level: 'warning', code: fault.code, message: fault.message }, job.run.id);
    const exceeded = this.drive.failures.note(true);
    if (exceeded !== null) this.drive.breach(exceeded);
  }
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
