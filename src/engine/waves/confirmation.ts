import { counted } from '../../core/counted.js';
import { groupBy } from '../../core/group-by.js';
import { databaseKey } from '../../core/unit.js';
import { isAway } from '../../pg/errors.js';
import { lostCommits } from '../ledger/flush.js';
import type { Drive } from './drive.js';
import { patiently } from './journal.js';
import type { SurveyedUnit } from './survey.js';
import { type UnitResult, executeUnit } from './unit.js';

/** Units that were done within this time are confirmed together: one wait for the disk, and one look at the ledger. */
const TOGETHER_MS = 30;

/**
 * Units of a wave commit without waiting for the disk, which takes about as long as a small migration. None of them
 * counts as done before it is certain to stay so: its commit has reached the disk, and no crash came before that. What
 * a crash has taken back is done again.
 */
export class Confirmation {
  private readonly waiting: UnitResult[] = [];
  private confirming: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly drive: Drive,
    /** Hears how each unit has ended. */
    private readonly ended: (result: UnitResult) => void,
  ) {}

  add(result: UnitResult): void {
    this.waiting.push(result);
    this.timer ??= setTimeout(() => this.confirm(), TOGETHER_MS);
  }

  /** Confirms what is left and waits until everything is. @throws connection error (exit 4) when a server stays away */
  async finish(): Promise<void> {
    this.confirm();
    await this.confirming;
  }

  private confirm(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const batch = this.waiting.splice(0);
    this.confirming = this.confirming.then(() => this.confirmBatch(batch));
    // Reported by finish(); here it only must not count as unhandled.
    this.confirming.catch(() => undefined);
  }

  private async confirmBatch(batch: readonly UnitResult[]): Promise<void> {
    const databases = groupBy(batch, ({ surveyed: { unit } }) => databaseKey(unit));
    for (const results of databases.values()) await this.confirmDatabase(results);
  }

  private async confirmDatabase(results: readonly UnitResult[]): Promise<void> {
    const { cancelled } = this.drive.fleet;
    const lost = cancelled ? new Set() : await this.lostOf(results);
    if (lost.size > 0) this.tell(results.filter(({ outcome }) => lost.has(outcome.unit)));
    for (const result of results) {
      if (cancelled) this.ended(undecided(result));
      else this.ended(lost.has(result.outcome.unit) ? await this.doAgain(result.surveyed) : result);
    }
  }

  /** Units of one database whose work is not there. Where the question fails, doing it again tells what is wrong. */
  private async lostOf(results: readonly UnitResult[]): Promise<Set<string>> {
    const { cluster, database } = (results[0] as UnitResult).surveyed.unit;
    const expected = new Map(
      results.flatMap(({ surveyed: { unit }, outcome: { to } }): [string, number][] =>
        to === null ? [] : [[unit.ledgerKey, to.id]],
      ),
    );
    const ask = () => this.drive.fleet.managed(cluster, database, (one) => lostCommits(one, expected));
    try {
      const lost = new Set(await patiently(ask));
      return unitsOf(results.filter(({ surveyed: { unit } }) => lost.has(unit.ledgerKey)));
    } catch (error) {
      if (isAway(error)) throw error;
      return unitsOf(results);
    }
  }

  private tell(lost: readonly UnitResult[]): void {
    const { fleet, job } = this.drive;
    const { cluster, database } = (lost[0] as UnitResult).surveyed.unit;
    const units = counted(lost.length, 'unit');
    fleet.emit(
      {
        type: 'notice',
        level: 'warning',
        code: 'COMMITS_LOST',
        message: `Database ${database} of cluster ${cluster} does not have what was just done to ${units}, as when its server crashes; it is done again: ${[...unitsOf(lost)].join(', ')}.`,
      },
      job.run.id,
    );
  }

  private doAgain(surveyed: SurveyedUnit): Promise<UnitResult> {
    const { fleet, job, journal } = this.drive;
    return executeUnit(fleet, job, surveyed, journal, { flushedLater: false, again: true });
  }
}

const unitsOf = (results: readonly UnitResult[]): Set<string> =>
  new Set(results.map(({ outcome }) => outcome.unit));

/** The next drive of the run looks at its ledger. */
function undecided(result: UnitResult): UnitResult {
  const reason = 'everything was cancelled before it was certain that its work is kept';
  return { ...result, outcome: { ...result.outcome, status: 'pending', reason }, migrations: [] };
}
