import type { PlannedWindow } from '../../core/report.js';
import type { WindowSettings } from '../../core/settings.js';

const MINUTE_MS = 60_000;
const LOOK_AHEAD_MINUTES = 8 * 24 * 60;
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Is the window open at this moment? Read on the clock of its zone, so that it moves with summer time. */
export function isOpen(window: WindowSettings, at: Date): boolean {
  return openAt(window, clockOf(window.zone), at);
}

/**
 * The next moment at which a closed window opens, or null when it never does. It goes minute by minute,
 * because the clock of a zone may jump over the opening or show it twice.
 */
export function nextOpening(window: WindowSettings, from: Date): Date | null {
  const clock = clockOf(window.zone);
  const start = Math.floor(from.getTime() / MINUTE_MS) * MINUTE_MS;
  for (let minute = 1; minute <= LOOK_AHEAD_MINUTES; minute += 1) {
    const at = new Date(start + minute * MINUTE_MS);
    if (openAt(window, clock, at)) return at;
  }
  return null;
}

/** A window as a person would write it. */
export function windowInWords({ days, from, to, zone }: WindowSettings): PlannedWindow {
  return { days: days.flatMap((day) => WEEKDAYS[day - 1] ?? []), from: timeOf(from), to: timeOf(to), zone };
}

function timeOf(minutes: number): string {
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

/** A moment on the clock of a zone: `Mon 2026-11-23 09:00 Europe/Berlin` */
export function inZone(at: Date, zone: string): string {
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const parts = new Map(clock.formatToParts(at).map(({ type, value }) => [type, value]));
  const date = [parts.get('year'), parts.get('month'), parts.get('day')].join('-');
  return `${parts.get('weekday')} ${date} ${parts.get('hour')}:${parts.get('minute')} ${zone}`;
}

function openAt({ days, from, to }: WindowSettings, clock: Intl.DateTimeFormat, at: Date): boolean {
  const { day, minutes } = readClock(clock, at);
  if (from < to) return days.includes(day) && minutes >= from && minutes < to;
  const yesterday = day === 1 ? 7 : day - 1;
  return (days.includes(day) && minutes >= from) || (days.includes(yesterday) && minutes < to);
}

function clockOf(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
}

/** Day of the week (1 for Monday to 7) and minutes since midnight. */
function readClock(clock: Intl.DateTimeFormat, at: Date): { day: number; minutes: number } {
  const parts = new Map(clock.formatToParts(at).map(({ type, value }) => [type, value]));
  return {
    day: WEEKDAYS.indexOf(parts.get('weekday') ?? '') + 1,
    minutes: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}
