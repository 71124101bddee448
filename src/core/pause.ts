import { setTimeout as sleep } from 'node:timers/promises';

/** Waits so many milliseconds, or until the signal. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}
