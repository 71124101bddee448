import { shortId } from '../core/short-id.js';
import { formatDuration } from '../core/duration.js';
import { type MoveHome, type MoveReport, isPastReturn } from '../core/move.js';
import type { Colors } from './colors.js';
import { homeName } from './home-name.js';
import { count, counted } from '../core/counted.js';
import { oneLine } from './line.js';
import { rateText } from './rate.js';
import { sections } from './records.js';
import { UNCHANGED } from './run-text.js';
import { properties, table } from './table.js';

/** One move as it stands, with what can be typed next; hashes of its tables where they are asked for. */
export function moveReportText(report: MoveReport, colors: Colors, { hashes }: { hashes: boolean }): string {
  return sections(
    headline(report, colors),
    particulars(report),
    hashes && report.tables.length > 0 ? hashesTable(report) : '',
    nextText(report),
  );
}

function homeText(home: MoveHome): string {
  const { cluster, database, schema, epoch } = home;
  return `${homeName(home)}: ${database}.${schema} on ${cluster}, epoch ${epoch}`;
}

function headline(report: MoveReport, colors: Colors): string {
  const { tenant, from, to, state, undo, note } = report;
  const why = note === null ? '' : `: ${oneLine(note)}`;
  if (state === 'completed')
    return `${colors.green('ok')} ${tenant} has moved from ${homeName(from)} to ${homeName(to)}; its old copy is deleted`;
  if (state === 'undone') return `${colors.green('ok')} ${tenant} is back in ${homeName(from)}`;
  if (state === 'aborted') return `${tenant} has stayed in ${homeName(from)}: its move was aborted${why}`;
  if (undo !== null)
    return `${colors.yellow(`${tenant} is on its way back`)} to ${homeName(from)} (${undo})${why}`;
  if (state === 'grace')
    return `${colors.green('ok')} ${tenant} has moved from ${homeName(from)} to ${homeName(to)}`;
  const where = isPastReturn(state)
    ? `lives in ${homeName(to)}, not yet settled`
    : `is on its way to ${homeName(to)}`;
  return `${colors.yellow(`${tenant} ${where}`)} (${state})${why}`;
}

function particulars(report: MoveReport): string {
  const { move, from, to, method, rows, tables, verified, copyMs, graceUntil, state, startedAt } = report;
  const compared = verified ? ', every one compared' : '';
  return properties([
    ['move', move],
    ['started', startedAt],
    ['from', homeText(from)],
    ['to', homeText(to)],
    ['method', method],
    ['rows', `${count(rows)} in ${counted(tables.length, 'table')}${compared}`],
    ...(copyMs === null ? [] : [['copy', `${formatDuration(copyMs)}${rateText(rows, copyMs)}`] as const]),
    ...pauseLine(report),
    ...(graceUntil !== null && state === 'grace' ? [['old copy', `kept until ${graceUntil}`] as const] : []),
  ]);
}

function pauseLine({ writePauseMs, fenceWaitMs }: MoveReport): [string, string][] {
  if (writePauseMs === null) return [];
  const fence = fenceWaitMs === null ? '' : `, ${formatDuration(fenceWaitMs)} of it for writers to let go`;
  return [['write pause', `${formatDuration(writePauseMs)}${fence}`]];
}

function hashesTable({ tables }: MoveReport): string {
  const rows = tables.map(({ table: name, rows: n, hash }) => [name, count(n), hash ?? '-']);
  return table(['table', 'rows', 'hash in both homes'], rows);
}

function nextText(report: MoveReport): string {
  const commands = nextCommands(report);
  if (commands.length === 0) return '';
  const text = properties(commands.map(([command, does]) => [`  ${command}`, does] as const));
  return `Next\n${text}`;
}

function nextCommands({ tenant, state, undo, finishedAt }: MoveReport): [string, string][] {
  if (finishedAt !== null) return [];
  const resume: [string, string] = [`tenantctl moves resume ${tenant}`, 'goes on with it'];
  if (undo !== null) return [resume];
  if (state === 'grace')
    return [
      [`tenantctl moves undo ${tenant}`, 'brings it back, with everything it has written since'],
      [
        `tenantctl moves complete ${tenant}`,
        'deletes the old copy; from cron: tenantctl moves complete --due --yes',
      ],
    ];
  if (isPastReturn(state)) return [resume];
  return [resume, [`tenantctl moves abort ${tenant}`, 'takes it back; the tenant stays where it is']];
}

/** Moves as a table. */
export function movesText(moves: readonly MoveReport[]): string {
  if (moves.length === 0) return 'no moves yet';
  const rows = moves.map((report) => {
    const { move, tenant, from, to, method, state, undo, rows: n, writePauseMs, startedAt } = report;
    const pause = writePauseMs === null ? '-' : formatDuration(writePauseMs);
    const stands = undo === null || state === 'undone' ? state : 'going back';
    return [shortId(move), tenant, homeName(from), homeName(to), method, stands, count(n), pause, startedAt];
  });
  return table(['move', 'tenant', 'from', 'to', 'method', 'state', 'rows', 'write pause', 'started'], rows);
}

/** What became of the moves whose grace period was over. */
export function completedMovesText(
  completed: readonly MoveReport[],
  failed: readonly { tenant: string; code: string; message: string }[],
): string {
  const done = `${counted(completed.length, 'old copy', 'old copies')} deleted, ${count(failed.length)} failed`;
  return [
    done,
    ...completed.map(({ tenant, from, to }) => `  ok ${tenant}: ${homeName(from)} to ${homeName(to)}`),
    ...failed.map(({ tenant, code, message }) => `  failed ${tenant}: ${code} ${oneLine(message)}`),
  ].join('\n');
}

/** What completing every move that is due would do. */
export function dueMovesText(due: readonly MoveReport[]): string {
  const lines = due.map(
    ({ tenant, from, rows }) => `  ${tenant}: about ${count(rows)} rows in ${homeText(from)}`,
  );
  const title =
    due.length === 0
      ? 'No grace period is over.'
      : `${counted(due.length, 'old copy', 'old copies')} would be deleted`;
  return sections([title, ...lines].join('\n'), UNCHANGED);
}
