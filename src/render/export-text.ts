import type { BagReport } from '../core/bag-report.js';
import type { ExportManifest } from '../core/export-manifest.js';
import { bytesText } from './bytes.js';
import type { Colors } from './colors.js';
import { count, counted } from '../core/counted.js';
import { oneLine } from './line.js';
import { sections } from './records.js';
import { UNCHANGED } from './run-text.js';
import { properties, table } from './table.js';

/** A finished export, as the operation gives it. */
export interface ExportedView {
  manifest: ExportManifest;
  rows: number;
  bytes: number;
  files: number;
  directory: string;
  manifestSha256: string;
}

/** What an export would hold, as the operation plans it. */
export interface PlannedExportView {
  tenant: string;
  directory: string;
  tables: readonly { table: string; kind: 'tenant' | 'reference' }[];
  circles: readonly (readonly string[])[];
  leftOut: readonly { table: string; reason: string }[];
  largeObjects: ExportManifest['largeObjects'];
}

/** What was exported, what is not in it, and how it is verified. */
export function exportedText(exported: ExportedView, colors: Colors): string {
  const { manifest, rows, bytes, files, directory, manifestSha256 } = exported;
  const { tenant, snapshot, migration, tables } = manifest;
  const reference = tables.filter(({ kind }) => kind === 'reference').length;
  return sections(
    `${colors.green('ok')} ${tenant.id} exported to ${directory}`,
    properties([
      [
        'rows',
        `${count(rows)} in ${counted(tables.length, 'table')}, ${count(reference)} of them reference data`,
      ],
      ['size', `${bytesText(bytes)} in ${counted(files, 'file')}`],
      ['moment', `${snapshot.at}, WAL ${snapshot.lsn}`],
      ['migration', migration?.name ?? 'none'],
      ['manifest', `sha256 ${manifestSha256}`],
    ]),
    leftOutText(manifest),
    `Next\n${properties([[`  tenantctl export verify ${directory}`, 'reads all of it again, here or anywhere']])}`,
  );
}

export function exportPlanText(plan: PlannedExportView): string {
  const { tenant, directory, tables, circles } = plan;
  const rows = tables.map(({ table: name, kind }, at) => [String(at + 1), name, kind]);
  const circle = circles.map((names) => `${names.join(', ')} refer to each other`).join('; ');
  return sections(
    `Export ${tenant} to ${directory}: ${counted(tables.length, 'table')}`,
    table(['', 'table', 'rows of'], rows),
    circle,
    leftOutText(plan),
    UNCHANGED,
  );
}

function leftOutText({ leftOut, largeObjects }: Pick<PlannedExportView, 'leftOut' | 'largeObjects'>): string {
  const lines = leftOut.map(({ table: name, reason }) => `  ${oneLine(name)}: ${oneLine(reason)}`);
  if (largeObjects !== 'none')
    lines.push('  large objects: columns hold their numbers; the objects themselves are not exported');
  return lines.length === 0 ? '' : ['Not in it', ...lines].join('\n');
}

/** What was found in an export. */
export function exportReportText(report: BagReport, colors: Colors): string {
  const { ok, directory, tenant, files, bytes, rows, differences } = report;
  const what = `${counted(files, 'file')}, ${count(rows)} rows, ${bytesText(bytes)}`;
  if (ok)
    return [
      `${colors.green('ok')} ${directory}: export of ${tenant} is whole and unchanged (${what})`,
      signedText(report),
    ].join('\n');
  const lines = differences.map(
    ({ file, problem, message }) => `  ${problem} ${oneLine(file)}: ${oneLine(message)}`,
  );
  return [`${colors.red('differs')} ${directory} (${what})`, ...lines].join('\n');
}

function signedText({ signed }: BagReport): string {
  if (signed === null) return 'It is not signed: whoever could change it could change its sums as well.';
  if (signed.by === 'the given key') return `Signed with key ${signed.keyId}, the one you gave.`;
  return `Signed with key ${signed.keyId}, which came with it; --key compares it with one that you trust.`;
}
