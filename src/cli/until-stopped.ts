import { setTimeout as pause } from 'node:timers/promises';
import { EXIT, TenantctlError } from '../core/errors.js';
import { Tally } from '../operations/tally.js';
import { counted } from '../core/counted.js';
import { LOOK_STOPPED } from './interruption.js';

/** What was sent is cancelled at once; a server that does not answer must not keep anybody for longer. */
const PATIENCE_MS = 2_000;

/** What a look gives, or, where it was ended before, the failure that says how far it came. */
export type Looked<T> = { value: T; failure?: never } | { value?: never; failure: TenantctlError };

/** Looks until the end, or until somebody wants it to end. */
export async function untilStopped<T>(
  signal: AbortSignal,
  look: (tally: Tally) => Promise<T>,
): Promise<Looked<T>> {
  const tally = new Tally();
  if (signal.aborted) return { failure: lookStopped(tally) };
  const ended = new AbortController();
  try {
    const value = await Promise.race([look(tally), stopped(signal, ended.signal)]);
    return value === undefined ? { failure: lookStopped(tally) } : { value };
  } catch (error) {
    if (!signal.aborted) throw error;
    return { failure: lookStopped(tally, error) };
  } finally {
    ended.abort();
  }
}

/** Gives nothing, some time after the signal. */
async function stopped(signal: AbortSignal, ended: AbortSignal): Promise<undefined> {
  if (!signal.aborted)
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true, signal: ended });
    });
  await pause(PATIENCE_MS, undefined, { signal: ended }).catch(() => undefined);
  return undefined;
}

function lookStopped({ looked, databases }: Tally, cause?: unknown): TenantctlError {
  const of = counted(databases, 'database');
  const message = databases === 0 ? 'No database was looked at.' : `${looked} of ${of} looked at.`;
  return new TenantctlError(LOOK_STOPPED, EXIT.interrupted, message, { facts: { looked, databases }, cause });
}
