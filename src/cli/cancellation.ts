/** What the second signal ends: the statements of every fleet that this command has opened. */
export class Cancellation {
  private readonly controller = new AbortController();
  private readonly works: (() => Promise<void>)[] = [];

  /** Aborted at the moment of the second signal; its reason is the failure to tell. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** With nothing to cancel there is nothing to wait for either. */
  get isEmpty(): boolean {
    return this.works.length === 0;
  }

  add(work: () => Promise<void>): void {
    this.works.push(work);
  }

  /** Starts to cancel. The command then ends by itself, for what it waits for fails; its end is not awaited here. */
  start(reason: Error): void {
    this.controller.abort(reason);
    // A server that cannot be told to stop is no reason to stay: the command is leaving.
    for (const work of this.works) work().catch(() => undefined);
  }
}
