/** How one batch went. */
export interface BatchCost {
  rows: number;
  ms: number;
  walBytes: number;
}

/** A batch that takes longer than this makes neighbours wait behind its flush; the next one is smaller. */
const SLOW_MS = 100;
/** What a deletion may write to the log a second: replicas and archivers must keep up. */
const WAL_BYTES_PER_MS = 65_536;
const SMALLEST = 500;

/** Decides how many rows the next batch deletes and how long to rest before it. */
export class Tempo {
  private rows: number;

  constructor(
    private readonly largest: number,
    private readonly restMs: number,
  ) {
    this.rows = largest;
  }

  get batch(): number {
    return this.rows;
  }

  /** @returns milliseconds to rest */
  after({ ms, walBytes }: BatchCost): number {
    if (ms > SLOW_MS) this.rows = Math.max(Math.min(SMALLEST, this.largest), Math.floor(this.rows / 2));
    else if (ms < SLOW_MS / 2) this.rows = Math.min(this.largest, Math.ceil(this.rows * 1.5));
    const forTheLog = walBytes / WAL_BYTES_PER_MS - ms;
    return Math.max(this.restMs, forTheLog, ms > SLOW_MS ? ms : 0);
  }
}
