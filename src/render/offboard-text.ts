import { formatDuration } from '../core/duration.js';
import type { ExportRecord, LegalHold, Offboarding } from '../core/offboarding.js';
import type { Colors } from './colors.js';
import { count, counted } from '../core/counted.js';
import { oneLine } from './line.js';
import { sections } from './records.js';
import { UNCHANGED } from './run-text.js';
import { properties, table } from './table.js';

interface OffboardedView {
  offboarding: Offboarding;
  export: ExportRecord | null;
  dueAt: string;
}

/** What an offboarding has come to, and what can be typed next. */
export function offboardedText(
  { offboarding, export: exported, dueAt }: OffboardedView,
  colors: Colors,
): string {
  const { tenant, state, requestedBy, basis, ticket, reason, retainMs } = offboarding;
  if (state === 'cancelled')
    return `${colors.green('ok')} ${tenant} is back, whole; its deletion is cancelled`;
  const facts = properties([
    ['due', `${dueAt}, ${retainMs === 0 ? 'at once' : `${formatDuration(retainMs)} after the request`}`],
    ['export', exported === null ? 'none: what is deleted is gone for good' : exportedText(exported)],
    ['requested by', requestedBy],
    ...optional('basis', basis),
    ...optional('ticket', ticket),
    ...optional('reason', reason),
  ]);
  const next = properties([
    [`  tenantctl offboard ${tenant} --cancel`, 'brings it back whole, until it is deleted'],
    [`  tenantctl retention hold ${tenant} --reason …`, 'keeps it from being deleted'],
    ...(exported === null
      ? []
      : ([
          [`  tenantctl export verify ${exported.directory}`, 'proves that the export can be read'],
        ] as const)),
  ]);
  return sections(
    `${colors.green('ok')} ${tenant} is shut; its deletion is scheduled`,
    facts,
    `Next\n${next}`,
  );
}

function exportedText({ directory, rows, bytes }: ExportRecord): string {
  return `${directory} (${counted(rows, 'row')}, ${count(bytes)} bytes)`;
}

function optional(name: string, value: string | null): [string, string][] {
  return value === null ? [] : [[name, oneLine(value)]];
}

/** Numbered steps of something that would be done. */
export function planText(title: string, steps: readonly string[]): string {
  const width = String(steps.length).length;
  const lines = steps.map((step, at) => `${String(at + 1).padStart(width)}. ${oneLine(step)}`);
  return sections(title, lines.join('\n'), UNCHANGED);
}

interface RetentionView {
  due: readonly Offboarding[];
  scheduled: readonly Offboarding[];
  held: readonly LegalHold[];
}

/** The calendar of deletions. */
export function retentionText({ due, scheduled, held }: RetentionView): string {
  if (due.length + scheduled.length + held.length === 0) return 'nothing is due, scheduled or on hold';
  return sections(
    titled('Due now', offboardingsTable(due), due.length),
    titled('Scheduled', offboardingsTable(scheduled), scheduled.length),
    titled('On hold', holdsTable(held), held.length),
    due.length === 0 ? '' : 'Next\n  tenantctl retention run --dry-run   what would be deleted',
  );
}

function titled(title: string, text: string, length: number): string {
  return length === 0 ? '' : `${title}: ${length}\n${text}`;
}

function offboardingsTable(list: readonly Offboarding[]): string {
  const rows = list.map(({ tenant, state, dueAt, requestedBy, ticket, export: exported }) => [
    tenant,
    state,
    dueAt,
    requestedBy,
    ticket ?? '-',
    exported?.directory ?? '-',
  ]);
  return table(['tenant', 'state', 'due', 'requested by', 'ticket', 'export'], rows);
}

function holdsTable(held: readonly LegalHold[]): string {
  const rows = held.map(({ tenant, placedAt, author, reason }) => [
    tenant,
    placedAt,
    author,
    oneLine(reason),
  ]);
  return table(['tenant', 'since', 'by', 'reason'], rows);
}

interface DeletionsView {
  deleted: readonly { tenant: string; certificate: string; rows: number; export: string | null }[];
  skipped: readonly { tenant: string; code: string; reason: string }[];
  failed: readonly { tenant: string; code: string; message: string; hint: string | null }[];
  left: readonly string[];
}

/** What became of the tenants that were due. */
export function deletionsText({ deleted, skipped, failed, left }: DeletionsView, colors: Colors): string {
  const total = deleted.length + skipped.length + failed.length + left.length;
  if (total === 0) return 'nothing is due';
  const title = `${counted(deleted.length, 'tenant')} deleted, ${count(failed.length)} failed, ${count(skipped.length)} skipped, ${count(left.length)} left`;
  return [
    title,
    ...deleted.map(
      ({ tenant, certificate, rows }) =>
        `  ${colors.green('ok')} ${tenant}: ${counted(rows, 'row')}, certificate ${certificate} (tenantctl certificate ${tenant})`,
    ),
    ...failed.flatMap(({ tenant, code, message, hint }) => [
      `  ${colors.red('failed')} ${tenant}: ${code} ${oneLine(message)}`,
      ...(hint === null ? [] : [`    ${oneLine(hint)}`]),
    ]),
    ...skipped.map(({ tenant, code, reason }) => `  skipped ${tenant}: ${code} ${oneLine(reason)}`),
    ...(left.length === 0
      ? []
      : [`  left for the next call: ${left.slice(0, 10).join(', ')}${left.length > 10 ? ' …' : ''}`]),
  ].join('\n');
}

/** What a call would delete. */
export function duePlanText({
  due,
  skipped,
}: {
  due: readonly Offboarding[];
  skipped: readonly { tenant: string; code: string; reason: string }[];
}): string {
  const lines = due.map(
    ({ tenant, dueAt, export: exported }) =>
      `  ${tenant}: due since ${dueAt}, ${exported === null ? 'not exported' : `exported to ${exported.directory}`}`,
  );
  const others = skipped.map(({ tenant, reason }) => `  not ${tenant}: ${oneLine(reason)}`);
  const title = due.length === 0 ? 'Nothing is due.' : `${counted(due.length, 'tenant')} would be deleted`;
  return sections([title, ...lines, ...others].join('\n'), UNCHANGED);
}

/** Which holds stand on a tenant now. */
export function holdText(
  { tenant, held, deletionBegun }: { tenant: string; held: readonly LegalHold[]; deletionBegun: boolean },
  colors: Colors,
): string {
  const stands =
    held.length === 0
      ? `${colors.green('ok')} no hold stands on ${tenant}`
      : `${colors.green('ok')} ${tenant} is on hold: nothing of it is deleted\n\n${holdsTable(held)}`;
  if (!deletionBegun || held.length === 0) return stands;
  return `${stands}\n\n${colors.yellow('warning:')} its deletion had begun before: what was deleted is gone, the rest stays`;
}
