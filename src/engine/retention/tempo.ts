/** How one batch went. */
export interface BatchCost {
  /** For which it held rows and pages, the wait for the disk at its commit left out. */
  ms: number;
  walBytes: number;
}

/** A batch that takes longer than this makes neighbours wait behind it; the next one is smaller. */
const SLOW_MS = 200;
/** Of the time that a batch takes others have this much after it, so that a deletion in small pieces is not a slow one. */
const REST_SHARE = 0.25;
/** What a deletion may write to the log a second: replicas and archivers must keep up. */
const WAL_BYTES_PER_MS = 1_048_576;
const SMALLEST = 500;

/** Decides how many rows the next batch deletes and how long to rest before it. */
export class Tempo {
  private rows: number;

  /**
   * @param largest rows of a batch at most
   * @param restMs rest after a batch of usual length at most
   */
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
    const share = ms * REST_SHARE;
    return Math.max(ms > SLOW_MS ? share : Math.min(this.restMs, share), forTheLog);
  }
}
