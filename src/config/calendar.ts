import * as z from 'zod';
import { typed } from './setting.js';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const TIME = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;

/** Weekdays of `mon-thu` or `mon,wed-fri` in order, 1 for Monday to 7; undefined for any other text. */
export function parseDays(text: string): number[] | undefined {
  const days = text.split(',').map((part) => parseSpan(part.trim()));
  if (days.some((span) => span.length === 0)) return undefined;
  return [...new Set(days.flat())].sort((a, b) => a - b);
}

/** A span may pass the end of the week: `fri-mon`. Empty where the text is none. */
function parseSpan(text: string): number[] {
  const [first = '', last = first, ...more] = text.split('-');
  const from = DAYS.indexOf(first);
  const to = DAYS.indexOf(last);
  if (from < 0 || to < 0 || more.length > 0) return [];
  const length = ((to - from + 7) % 7) + 1;
  return Array.from({ length }, (_, index) => ((from + index) % 7) + 1);
}

/** Days of the week, read as numbers from 1 (Monday) to 7. */
export function weekdays() {
  const schema = z
    .string()
    .refine((value) => parseDays(value) !== undefined, 'must be days such as mon-thu or mon,wed,fri');
  return typed(
    schema.transform((value) => parseDays(value) ?? []),
    'days such as mon-thu or mon,wed,fri',
  );
}

/** A time of day, read as minutes since midnight. */
export function timeOfDay() {
  const minutes = (value: string) => Number(value.slice(0, 2)) * 60 + Number(value.slice(3));
  return typed(z.string().regex(TIME).transform(minutes), 'a time such as "09:00"');
}

/** A time zone that this Node.js knows. */
export function timeZone() {
  return typed(
    z.string().refine(isTimeZone, 'must be a time zone such as Europe/Berlin'),
    'a time zone such as Europe/Berlin',
  );
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
