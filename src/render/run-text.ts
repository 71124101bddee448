import { formatDuration } from '../core/duration.js';
import type { RunReport } from '../core/report.js';
import type { Colors } from './colors.js';
import { counted, oneLine } from './line.js';
import { recordsTable, sections } from './records.js';
import { table } from './table.js';
import { versionText } from './tenant-text.js';

const SHOWN_FAILURES = 20;

/** The plan of a run, as `--dry-run` prints it. */
export interface RunPlanView {
  waves: readonly { name: string; units: readonly unknown[]; tenants: number }[];
  migrations: readonly object[];
}

/** The report of a run: one line that says it all, then waves and failures. */
export function runReportText(report: RunReport, colors: Colors): string {
  const { totals, failures, waves } = report;
  return sections(
    headline(report, colors),
    waves.length > 1 ? wavesTable(waves) : '',
    failures.length === 0 ? '' : failuresText(failures, colors),
    totals.pending > 0
      ? `${counted(totals.pending, 'unit')} not visited; the same command again goes on there.`
      : '',
  );
}

function headline({ kind, status, to, totals, durationMs, run }: RunReport, colors: Colors): string {
  const word = status === 'succeeded' ? colors.green(status) : colors.red(status);
  const target = to === null ? '' : ` to ${versionText(to)}`;
  const counts = [
    `${counted(totals.units, 'unit')} (${counted(totals.tenants, 'tenant')})`,
    `${totals.succeeded} succeeded`,
    `${totals.failed} failed`,
    totals.skipped > 0 ? `${totals.skipped} skipped` : '',
    totals.rolledBack > 0 ? `${totals.rolledBack} rolled back` : '',
  ];
  return `${kind}${target} ${word}: ${counts.filter((part) => part !== '').join(', ')} in ${formatDuration(durationMs)}\nrun ${run}`;
}

function wavesTable(waves: RunReport['waves']): string {
  return table(
    ['wave', 'status', 'units', 'succeeded', 'failed'],
    waves.map((wave) => [wave.name, wave.status, wave.units, wave.succeeded, wave.failed].map(String)),
  );
}

function failuresText(failures: RunReport['failures'], colors: Colors): string {
  const shown = failures.slice(0, SHOWN_FAILURES).map((failure) => {
    const where = [failure.file, failure.line]
      .filter((part) => part !== null && part !== undefined)
      .join(':');
    const place = where === '' ? '' : ` (${where})`;
    return `  ${colors.red('failed')} ${failure.unit}: ${oneLine(failure.message)}${place}`;
  });
  const more = failures.length - shown.length;
  return [`Failures`, ...shown, ...(more > 0 ? [`  and ${more} more: --json has them all`] : [])].join('\n');
}

/** The plan of a run: which units go in which wave, and what each of them gets. */
export function runPlanText({ waves, migrations }: RunPlanView): string {
  const rows = waves.map(({ name, units, tenants }) => [name, String(units.length), String(tenants)]);
  return sections(
    rows.length === 0 ? 'Nothing to migrate.' : `Waves\n${table(['wave', 'units', 'tenants'], rows)}`,
    migrations.length === 0 ? '' : `Migrations\n${recordsTable(migrations)}`,
    'Nothing was changed.',
  );
}

/** A plan that is a list of steps. */
export function stepsText({ steps }: { steps: readonly string[] }): string {
  return sections(steps.map((step, at) => `${at + 1}. ${step}`).join('\n'), 'Nothing was changed.');
}
