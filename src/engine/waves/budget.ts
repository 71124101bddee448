import type { FailureBudget } from '../../core/settings.js';

interface Tally {
  units: number;
  failed: number;
}

/**
 * Counts failures against the budget, for the run and for each wave. Pure: it knows only what it is told.
 * What does not count is not told: units that were busy, moving, gone or interrupted.
 */
export class FailureCount {
  private readonly run: Tally;
  private wave: Tally & { name: string } = { name: '', units: 0, failed: 0 };
  private inSequence = 0;

  /** @param failed failures of the run that count already, from before this process */
  constructor(
    private readonly budget: FailureBudget,
    units: number,
    failed: number,
  ) {
    this.run = { units, failed };
  }

  startWave(name: string, units: number, failed: number): void {
    this.wave = { name, units, failed };
  }

  /** @returns the limit that is exceeded now, as a sentence without its full stop, or null */
  note(failed: boolean): string | null {
    if (!failed) {
      this.inSequence = 0;
      return null;
    }
    this.run.failed += 1;
    this.wave.failed += 1;
    this.inSequence += 1;
    return this.exceeded();
  }

  /** The limit that is exceeded as it stands, or null. */
  exceeded(): string | null {
    const { consecutive } = this.budget;
    if (consecutive !== null && this.inSequence >= consecutive)
      return `${this.inSequence} units failed one after the other; the budget ends at ${consecutive}`;
    return this.over(this.wave, `wave ${this.wave.name}`) ?? this.over(this.run, 'the run');
  }

  private over({ units, failed }: Tally, where: string): string | null {
    const { count, percent } = this.budget;
    if (count !== null && failed > count)
      return `${failed} units of ${where} failed; the budget bears ${count}`;
    if (percent !== null && failed * 100 > percent * units)
      return `${failed} of ${units} units of ${where} failed; the budget bears ${percent} %`;
    return null;
  }
}
