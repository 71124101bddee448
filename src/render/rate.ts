import { count } from '../core/counted.js';

/** `, 81,000 rows/s`; nothing for so short a time that it says nothing. */
export function rateText(rows: number, ms: number): string {
  return ms < 1 ? '' : `, ${count(Math.round((rows * 1_000) / ms))} rows/s`;
}
