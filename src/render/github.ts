import { groupBy } from '../core/group-by.js';
import type { RunReport, UnitFailure } from '../core/report.js';
import { formatDuration } from '../core/duration.js';
import { withoutUnit } from './failures-text.js';
import { count, counted } from '../core/counted.js';
import { gistOf, oneLine, plainLines } from './line.js';
import { countsText } from './run-text.js';
import { versionText } from './tenant-text.js';
import { isInside, workflowCommand } from './workflow-command.js';

/** GitHub keeps ten errors of a step and drops the others without a word. */
const MOST_ANNOTATIONS = 10;
const SHOWN_UNITS = 8;
const LONGEST_MESSAGE = 2_000;

/** With these a summary stays under 100 kB: GitHub drops one of 1 MiB whole, and a step may write several. */
const SHOWN_WAVES = 30;
const SHOWN_FAILURES = 20;
const LONGEST_NAME = 100;
const LONGEST_CELL = 300;

/**
 * Failures as workflow commands, one a line, at most ten: those of the same migration and SQLSTATE are one,
 * the most frequent first. Files are to be named relative to the repository; others are left out.
 */
export function failureAnnotations(failures: readonly UnitFailure[]): string[] {
  const groups = [...groupBy(failures, reasonKey).values()].sort((a, b) => b.length - a.length);
  if (groups.length <= MOST_ANNOTATIONS) return groups.map(annotation);
  const shown = groups.slice(0, MOST_ANNOTATIONS - 1);
  const more = groups.length - shown.length;
  const rest = workflowCommand(
    'error',
    { title: `${count(more)} more reasons` },
    'The report of the run has them all.',
  );
  return [...shown.map(annotation), rest];
}

function reasonKey({ unit, migration, sqlstate, code, message }: UnitFailure): string {
  // Without a migration it is no statement that failed, and each message is a reason of its own.
  const own = migration === null ? message.replaceAll(unit, '') : null;
  return JSON.stringify([migration, sqlstate ?? code, own]);
}

function annotation(group: readonly UnitFailure[]): string {
  const example = group.find(({ file }) => isInside(file)) ?? (group[0] as UnitFailure);
  const { unit, migration, sqlstate, code, message, file, line } = example;
  const many = group.length > 1;
  const title = `${migration ?? unit} failed${many ? ` on ${counted(group.length, 'unit')}` : ''} (${sqlstate ?? code})`;
  const names = group.slice(0, SHOWN_UNITS).map((failure) => failure.unit);
  const more = group.length - names.length;
  const lines = [
    `failed on ${counted(group.length, 'unit')}: ${names.join(', ')}${more > 0 ? ` and ${count(more)} more` : ''}`,
    ...plainLines(withoutUnit(message, unit)),
  ];
  const place = isInside(file) ? { file, line: line ?? undefined } : {};
  return workflowCommand('error', { ...place, title }, lines.join('\n').slice(0, LONGEST_MESSAGE));
}

/**
 * The report of a run as Markdown for the summary of a job: what came out of it, its waves, its first failures.
 * @param next what to do now, in Markdown of our own, when there is something to do
 */
export function jobSummary(report: RunReport, next: string | undefined): string {
  const { kind, to, status, totals, run, reason, durationMs, waves, failures } = report;
  const target = to === null ? '' : ` to ${shortCell(versionText(to))}`;
  const parts = [
    `### tenantctl ${kind}${target}: ${status}`,
    `${countsText(totals)} in ${formatDuration(durationMs)}.${run === null ? '' : ` Run ${cell(run)}.`}`,
    reason === null ? '' : `${cell(reason)}.`,
    table(['wave', 'status', 'units', 'succeeded', 'failed'], waves, SHOWN_WAVES, (wave) =>
      [shortCell(wave.name), wave.status, wave.units, wave.succeeded, wave.failed].map(String),
    ),
    table(['failed unit', 'migration', 'SQLSTATE', 'message'], failures, SHOWN_FAILURES, failureCells),
    next === undefined ? '' : `**Next:** ${next}`,
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function failureCells({ unit, migration, sqlstate, code, message }: UnitFailure): string[] {
  return [
    shortCell(unit),
    shortCell(migration ?? ''),
    shortCell(sqlstate ?? code),
    cell(gistOf(withoutUnit(message, unit))),
  ];
}

function table<T>(
  headings: readonly string[],
  items: readonly T[],
  most: number,
  cellsOf: (item: T) => readonly string[],
): string {
  if (items.length === 0) return '';
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const more = items.length > most ? [`\nand ${count(items.length - most)} more`] : [];
  const shown = items.slice(0, most).map((item) => line(cellsOf(item)));
  return [line(headings), line(headings.map(() => '---')), ...shown, ...more].join('\n');
}

/** A text that means nothing to Markdown: as a character reference nothing has a meaning. */
function cell(text: string, longest = LONGEST_CELL): string {
  const line = oneLine(text);
  const cut = line.length > longest ? `${line.slice(0, longest)}…` : line;
  return cut.replace(/[&<>|`*[\]\\~#!@$]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function shortCell(text: string): string {
  return cell(text, LONGEST_NAME);
}
