import * as z from 'zod';
import { parseDuration } from '../core/duration.js';
import { typed } from './setting.js';

const DURATION = /^\d+(\.\d+)?(ms|s|m|h|d)$/;
const SIZE = /^(\d+(?:\.\d+)?)(B|kB|KB|MB|GB|TB)$/;
const PERCENT = /^\d+(\.\d+)?%?$/;
/** PostgreSQL keeps its timeouts in 32 bits, and takes 0 for "none". */
const LONGEST_TIMEOUT = 2_147_483_647;
const LONGEST_DURATION = 36_500 * 86_400_000;

/** A length of time, read as milliseconds; zero is allowed. */
export function duration() {
  return timeBetween(0, LONGEST_DURATION, 'a duration such as 250ms, 10s, 5m, 24h, 30d', 'at most 36500d');
}

/** A duration that a server enforces: zero would mean "for ever" there, so it is refused. */
export function timeout() {
  return timeBetween(1, LONGEST_TIMEOUT, 'a duration such as 250ms, 10s, 5m, 24h', 'from 1ms to 24d');
}

function timeBetween(least: number, most: number, type: string, bounds: string) {
  const fits = (value: string) => {
    const milliseconds = parseDuration(value) ?? Number.NaN;
    return milliseconds >= least && milliseconds <= most;
  };
  const schema = z.string().regex(DURATION).refine(fits, `must be a duration ${bounds}`);
  return typed(
    schema.transform((value) => parseDuration(value) ?? 0),
    type,
  );
}

const POWERS: Record<string, number> = { B: 0, KB: 1, MB: 2, GB: 3, TB: 4 };

/** Bytes of `50GB`, counted as PostgreSQL does (1 kB is 1024 bytes); undefined for any other text. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text);
  const power = POWERS[match?.[2]?.toUpperCase() ?? ''];
  if (match === null || power === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** An amount of storage, read as bytes. */
export function size() {
  const schema = z
    .string()
    .regex(SIZE)
    .refine((value) => parseSize(value) !== undefined, 'is too large');
  return typed(
    schema.transform((value) => parseSize(value) ?? 0),
    'a size such as 512MB, 50GB, 2TB',
  );
}

/** A share, `80%` or `80`, read as a number. */
export function percent(least: { zero: boolean }) {
  const schema = z
    .union([z.number(), z.string().regex(PERCENT)])
    .transform((value) => Number(String(value).replace('%', '')))
    .refine(
      (value) => value <= 100 && (least.zero ? value >= 0 : value > 0),
      'must be a percentage up to 100%',
    );
  return typed(schema, 'a percentage such as 80%');
}
