/** Others may take this many times as long as before a long piece of work began, on average, until it makes room for them. */
const MUCH = 1.5;
const LITTLE = 1.2;
/** How much one look counts against those before it. */
const WEIGHT = 0.2;
/** One that took very long says that there is strain, and not for how long to make room. */
const MOST_FELT = 6;
const FIRST_REST = 0.25;
const MOST_REST = 1;
const STEP = 1.5;
/** After so many looks in a row at which nothing of the work was felt, pieces of it may be done side by side. */
const CALM_LOOKS = 10;
const CALM = 1.2;
/** Differences between times shorter than this are chance. */
const LEAST_USUAL_MS = 2;

/**
 * Decides how much of its time a long piece of work rests, by what others wait for: something small that is done again and
 * again, as they do, takes so long now and took so long before. It never rests altogether: what others suffer from may be
 * somebody else.
 */
export class Pace {
  private share = 0;
  private calm = 0;
  private felt: number;
  private readonly usual: number;

  /** @param before what the small thing took before the work began, in milliseconds */
  constructor(before: readonly number[]) {
    this.usual = Math.max(LEAST_USUAL_MS, mean(before));
    this.felt = this.usual;
  }

  /** What the small thing takes now and took before, on average. */
  get strain(): { nowMs: number; beforeMs: number } {
    return { nowMs: this.felt, beforeMs: this.usual };
  }

  /** Of the time, in percent, that is worked and not rested. */
  get speed(): number {
    return Math.round(100 / (1 + this.share));
  }

  /**
   * May pieces of the work be done side by side? Only once others have been seen to bear it: one piece at a time takes less
   * from them than two with a rest after them, and short work has ended before anything is known.
   */
  get sideBySide(): boolean {
    return this.calm >= CALM_LOOKS;
  }

  /** The small thing was done once more, and took so long. */
  feel(ms: number): void {
    this.felt += (Math.min(ms, this.usual * MOST_FELT) - this.felt) * WEIGHT;
    if (this.felt > this.usual * MUCH)
      this.share = Math.min(MOST_REST, Math.max(FIRST_REST, this.share * STEP));
    else if (this.felt < this.usual * LITTLE) this.share = this.share > FIRST_REST ? this.share / STEP : 0;
    this.calm = this.felt < this.usual * CALM ? this.calm + 1 : 0;
  }

  /** Milliseconds to rest after so many of work. */
  restAfter(workedMs: number): number {
    return workedMs * this.share;
  }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
