import { formatDuration } from '../core/duration.js';
import { count, counted } from '../core/counted.js';
import { firstLine } from './line.js';
import { sections } from './records.js';
import { UNCHANGED } from './run-text.js';

interface FailedRowView {
  line: number;
  id: string | null;
  code: string;
  message: string;
}

/** What became of a list of tenants. */
export interface ProvisionedManyView {
  created: number;
  existing: number;
  failed: readonly FailedRowView[];
  durationMs: number;
}

const SHOWN = 20;

/** One line that says it all, then the rows that failed. */
export function provisionedManyText(result: ProvisionedManyView, dryRun: boolean): string {
  const { created, existing, failed, durationMs } = result;
  const done = `${counted(created, 'tenant')} ${dryRun ? 'to provision' : 'provisioned'}`;
  const headline = `${done}, ${count(existing)} there already, ${count(failed.length)} failed in ${formatDuration(durationMs)}`;
  const more = failed.length - SHOWN;
  const rest = more > 0 ? [`  and ${count(more)} more: --json has them all`] : [];
  const lines = [headline, ...failed.slice(0, SHOWN).map(rowText), ...rest].join('\n');
  return sections(lines, dryRun ? UNCHANGED : '');
}

function rowText({ line, id, code, message }: FailedRowView): string {
  return `  line ${line}${id === null ? '' : ` ${id}`}: ${code} ${firstLine(message)}`;
}
