import { formatDuration } from '../core/duration.js';
import type { Tenant } from '../core/tenant.js';
import type { Colors } from './colors.js';
import { counted } from '../core/counted.js';
import { tenantText } from './tenant-text.js';

interface CameView {
  tenant: Tenant;
  rows: number;
  tables: readonly { table: string }[];
  durationMs: number;
}

/** What became of a restore into a new tenant. */
export function restoredText(result: CameView & { restored: boolean }, colors: Colors): string {
  const { tenant, restored } = result;
  const said = restored
    ? `restored in ${formatDuration(result.durationMs)}: ${cameText(result)}`
    : 'was restored from this export already; nothing was changed';
  return `${colors.green('ok')} ${tenant.id} ${said}\n\n${tenantText(tenant)}`;
}

/** What became of rows that were replaced. */
export function replacedText(
  result: CameView & { replaced: boolean; backup: { directory: string; rows: number } | null },
  colors: Colors,
): string {
  const { tenant, replaced, backup } = result;
  const said = replaced
    ? `has the rows of the export after ${formatDuration(result.durationMs)}: ${cameText(result)}`
    : 'had the rows of the export already';
  const kept =
    backup === null ? '' : `\nwhat it had before, ${counted(backup.rows, 'row')}, is in ${backup.directory}`;
  return `${colors.green('ok')} ${tenant.id} ${said}${kept}\n\n${tenantText(tenant)}`;
}

function cameText({ rows, tables }: CameView): string {
  return `${counted(rows, 'row')} in ${counted(tables.length, 'table')}, count and hash of each as in the export`;
}
