import type { UnitFailure } from '../core/report.js';
import type { Colors } from './colors.js';
import { groupBy } from '../core/group-by.js';
import { count, counted } from '../core/counted.js';
import { plainLines } from './line.js';

const SHOWN_REASONS = 10;
const SHOWN_UNITS = 8;

/**
 * Failures by their reason: one faulty migration fails in a thousand units with the same message,
 * which is worth reading once.
 */
export function failuresText(failures: readonly UnitFailure[], colors: Colors): string {
  if (failures.length === 0) return '';
  const groups = [...groupBy(failures, (failure) => withoutUnit(failure.message, failure.unit))];
  const shown = groups.slice(0, SHOWN_REASONS).map(([message, group]) => reasonText(message, group, colors));
  const more = groups.length - shown.length;
  return [
    'Failures',
    ...shown,
    ...(more > 0 ? [`  and ${counted(more, 'reason')} more: --json has them all`] : []),
  ].join('\n');
}

function reasonText(message: string, failures: readonly UnitFailure[], colors: Colors): string {
  const units = failures.slice(0, SHOWN_UNITS).map(({ unit }) => unit);
  const more = failures.length - units.length;
  const names = more > 0 ? `${units.join(', ')} and ${count(more)} more` : units.join(', ');
  const lines = [
    `${colors.red('failed')} ${counted(failures.length, 'unit')}: ${names}`,
    ...plainLines(message).map((line) => `  ${line}`),
  ];
  return lines.map((line) => `  ${line}`).join('\n');
}

/** The message of a failure without the unit it begins with, where that is said already. */
export function withoutUnit(message: string, unit: string): string {
  return message.startsWith(`${unit}: `) ? message.slice(unit.length + 2) : message;
}
