import { sqlstateOf } from '../../pg/errors.js';

/** What one transaction of the probes may take: whoever waits for its locks waits no longer. */
export const MOST_MS = 5_000;
const TRANSACTION_TIMEOUT_SINCE = 170_000;

/** The limits of a transaction; where the server can it ends the transaction itself, should nobody be left to end it. */
export function limits({ version }: { version: number }): string {
  const whole =
    version >= TRANSACTION_TIMEOUT_SINCE ? `set local transaction_timeout = ${MOST_MS + 1_000}; ` : '';
  return `${whole}set local lock_timeout = '1s'; set local statement_timeout = ${MOST_MS}; set local idle_in_transaction_session_timeout = ${MOST_MS}`;
}

/** Lets the next statement of the transaction take what is left of its time. It stands before each that may take long. */
export const TIME_LEFT = `select set_config('statement_timeout', greatest(${MOST_MS} - extract(epoch from clock_timestamp() - now()) * 1000, 1)::int::text, true)`;

const OVERTIME = new Set(['57014', '25P03', '25P04']);

/** Was a statement or a transaction ended for the time that it took? */
export function isOvertime(error: unknown): boolean {
  return OVERTIME.has(sqlstateOf(error) ?? '');
}
