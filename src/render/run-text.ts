import { formatDuration } from '../core/duration.js';
import type { Finding } from '../core/finding.js';
import type { PoolSettlement, RunPlan, RunReport, WaveReport } from '../core/report.js';
import type { Colors } from './colors.js';
import { failuresText } from './failures-text.js';
import { count, counted } from '../core/counted.js';
import { oneLine } from './line.js';
import { lockLines } from './locks-text.js';
import { recordsSection, sections } from './records.js';
import { table } from './table.js';
import { versionText } from './tenant-text.js';

const SHOWN = 20;
export const UNCHANGED = 'Nothing was changed.';

/** The report of a run: one line that says it all, then waves, failures and what was left out. */
export function runReportText(report: RunReport, colors: Colors): string {
  const { failures, waves, skipped, held } = report;
  return sections(
    headline(report, colors),
    waves.length > 1 ? wavesTable(waves) : '',
    failuresText(failures, colors),
    list(
      'Left out',
      skipped.map(({ unit, reason }) => `${unit}: ${oneLine(reason)}`),
    ),
    heldText(held),
    poolsText(report.pools),
    pendingText(report),
  );
}

function pendingText({ status, totals }: RunReport): string {
  if (totals.pending === 0) return '';
  const units = counted(totals.pending, 'unit');
  if (status === 'running') return `${units} to go.`;
  const on = status === 'paused' || status === 'waiting' ? '; `tenantctl runs resume` goes on there' : '';
  return `${units} not visited${on}.`;
}

/** What going on with a run would do, for `--dry-run`. */
export function resumedText({ run, totals, failures }: RunReport, again: boolean): string {
  const tried = again ? [`try ${counted(failures.length, 'failed unit')} again`] : [];
  const left = [...tried, `go on with ${counted(totals.pending, 'unit')} that it has not visited`];
  return sections(`Run ${run} would ${left.join(' and ')}.`, UNCHANGED);
}

/** One line a table: what was, or is to be, done with it. */
function poolsText(pools: readonly PoolSettlement[] = []): string {
  const lines = pools.flatMap(({ pool, enforced, opened, stillEnforced, problems }) => [
    ...enforced.map(({ table: name, lacks }) => `${pool}: ${name} is enforced: ${lacks.join(', ')}`),
    ...opened.map(
      (name) => `${pool}: ${name} is opened: every tenant of the pool reaches the rows of all others`,
    ),
    ...stillEnforced.map((name) => `${pool}: ${name} stays enforced; --allow-opening opens it`),
    ...problems.map((problem) => `${pool}: ${problem}`),
  ]);
  return list('Pools', lines.map(oneLine));
}

function heldText(held: RunReport['held']): string {
  return list(
    'Files that wait',
    held.map(({ migration, reason }) => `${migration}: ${oneLine(reason)}`),
  );
}

function headline(report: RunReport, colors: Colors): string {
  const { kind, status, reason, to, totals, durationMs, run } = report;
  if (run === null && totals.failed === 0)
    return `${colors.green('nothing to do')}: ${reason ?? currentText(totals.current, to)}`;
  const calm = status === 'succeeded' || status === 'running' || status === 'waiting';
  const word = calm ? colors.green(status) : colors.red(status);
  const why = reason === null ? '' : `\n${oneLine(reason)}`;
  const target = to === null ? '' : ` to ${versionText(to)}`;
  return `${kind}${target} ${word}: ${countsText(totals)} in ${formatDuration(durationMs)}${why}${run === null ? '' : `\nrun ${run}`}`;
}

function currentText(current: number, to: RunReport['to']): string {
  return `${counted(current, 'unit')} already at ${to === null ? 'the newest migration' : versionText(to)}`;
}

/** `30 units (1,000 tenants), 5 succeeded, 22 failed` */
export function countsText(totals: RunReport['totals']): string {
  const some = (value: number, word: string) => (value > 0 ? [`${count(value)} ${word}`] : []);
  return [
    `${counted(totals.units, 'unit')} (${counted(totals.tenants, 'tenant')})`,
    `${count(totals.succeeded)} succeeded`,
    `${count(totals.failed)} failed`,
    ...some(totals.skipped, 'left out'),
    ...some(totals.rolledBack, 'rolled back'),
    ...some(totals.current, 'already there'),
  ].join(', ');
}

function wavesTable(waves: readonly WaveReport[]): string {
  return table(
    ['wave', 'status', 'units', 'succeeded', 'failed'],
    waves.map((wave) => [wave.name, wave.status, wave.units, wave.succeeded, wave.failed].map(String)),
  );
}

/** The beginning of a list that may have thousands of lines. */
function list(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const more = lines.length > SHOWN ? [`and ${count(lines.length - SHOWN)} more: --json has them all`] : [];
  return [title, ...[...lines.slice(0, SHOWN), ...more].map((line) => `  ${line}`)].join('\n');
}

/** The plan of a run: which units go in which wave, and what each of them gets. */
export function runPlanText({
  waves,
  window,
  migrations,
  skipped,
  held,
  pools,
  losses,
  findings,
  predictedMs,
  current,
}: RunPlan): string {
  const rows = waves.map(({ name, units, tenants }) => [name, count(units.length), count(tenants)]);
  return sections(
    rows.length === 0
      ? `Nothing to do: ${counted(current, 'unit')} already there.`
      : `Waves\n${table(['wave', 'units', 'tenants'], rows)}`,
    rows.length === 0 ? '' : gatesText(waves, window),
    recordsSection(
      'Migrations',
      migrations.map(({ id, name, phase, transactional }) => ({ id, name, phase, transactional })),
    ),
    list('Locks', lockLines(migrations).map(oneLine)),
    list('Findings', findings.map(findingLine).map(oneLine)),
    list(
      'Left out',
      skipped.map(({ unit, reason }) => `${unit}: ${oneLine(reason)}`),
    ),
    heldText(held),
    poolsText(pools),
    list('Thrown away', losses.map(oneLine)),
    predictedMs === null || rows.length === 0
      ? ''
      : `About ${formatDuration(predictedMs)}, by what units took in earlier runs.`,
    UNCHANGED,
  );
}

/** `error 0015_note.sql:3 drop-column: …` */
const findingLine = ({ level, where, rule, message, facts }: Finding): string =>
  `${level} ${where}:${facts.line} ${rule}: ${message}`;

/** What holds the run back, beside failures. */
function gatesText(waves: RunPlan['waves'], window: RunPlan['window']): string {
  const gates = waves.flatMap(({ name, checks, bakeMs, approve }) => {
    const steps = [
      ...(checks > 0 ? [`asks ${counted(checks, 'health check')}`] : []),
      ...(bakeMs > 0 ? [`is watched for ${formatDuration(bakeMs)}`] : []),
      ...(approve ? ['waits for approval'] : []),
    ];
    return steps.length === 0 ? [] : [`after ${name} the run ${steps.join(', then ')}`];
  });
  const times =
    window === null
      ? []
      : [`units start ${window.days.join(', ')} from ${window.from} to ${window.to} ${window.zone} only`];
  return list('Gates', [...gates, ...times]);
}

/** A plan that is a list of steps. */
export function stepsText({ steps }: { steps: readonly string[] }): string {
  return sections(steps.map((step, at) => `${at + 1}. ${step}`).join('\n'), UNCHANGED);
}
