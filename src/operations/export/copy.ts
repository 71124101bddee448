import { conflictError, partialError } from '../../core/errors.js';
import type { DataFormat } from '../../core/export-manifest.js';
import type { BagWriter } from '../../engine/bag/writer.js';
import { tableFile } from '../../engine/bag/layout.js';
import type { StoredFile } from '../../engine/bag/tag-text.js';
import type { Fleet } from '../../engine/context.js';
import type { PlannedTable } from '../../engine/export/plan.js';
import { readTable } from '../../engine/export/read-table.js';
import type { Snapshot } from '../../engine/export/snapshot.js';
import { sumAside, sumTables, sumsAside } from '../../engine/export/sum-tables.js';
import type { TableSum } from '../../engine/rows/sums.js';
import { ExportProgress } from './progress.js';

/** How the rows are written. */
export interface DataStyle {
  format: DataFormat;
  gzip: boolean;
}

/** A table whose file is written. */
export interface WrittenTable {
  table: PlannedTable;
  stored: StoredFile;
  rows: number;
  hash: string;
}

/**
 * Writes the file of each table, and sums its rows up meanwhile in a second session at the same moment.
 * @throws partial error `EXPORT_INTERRUPTED` (exit 7)
 */
export async function writeTables(
  fleet: Fleet,
  snapshot: Snapshot,
  tables: readonly PlannedTable[],
  bag: BagWriter,
  style: DataStyle,
): Promise<WrittenTable[]> {
  const stop = new AbortController();
  const aside = sumsAside(fleet, snapshot) ? tables.filter((table) => !table.private) : [];
  const summing = aside.length === 0 ? Promise.resolve([]) : sumAside(fleet, snapshot, aside, stop.signal);
  summing.catch((error: unknown) => stop.abort(error));
  try {
    const written = await copyAll(fleet, snapshot, tables, bag, style, stop.signal);
    const summed = await summing;
    const rest = tables.filter(({ name }) => !summed.some(({ table }) => table === name));
    const sums = [...summed, ...(await sumTables(snapshot.session, rest, fleet.signal))];
    return written.map((one) => withHash(one, sums));
  } catch (error) {
    stop.abort(error);
    await summing.catch(() => undefined);
    throw stop.signal.reason;
  }
}

type Copied = Omit<WrittenTable, 'hash'>;

async function copyAll(
  fleet: Fleet,
  { session, side }: Snapshot,
  tables: readonly PlannedTable[],
  bag: BagWriter,
  { format, gzip }: DataStyle,
  stop: AbortSignal,
): Promise<Copied[]> {
  const progress = new ExportProgress(fleet.emit, side.home.tenant.id);
  const extension = gzip ? `${format}.gz` : format;
  const copied: Copied[] = [];
  for (const [n, table] of tables.entries()) {
    assertGoingOn(fleet);
    const reading = readTable(session, table, format);
    const file = tableFile(n + 1, tables.length, table.name, extension);
    const stored = await bag.stream(file, reading.chunks, gzip, (chunk) => {
      stop.throwIfAborted();
      assertGoingOn(fleet);
      progress.passed(table.name, chunk);
    });
    const rows = await reading.rows();
    progress.written(table.name, rows);
    copied.push({ table, stored, rows });
    fleet.reach('export.table-written');
  }
  return copied;
}

function assertGoingOn({ signal }: Fleet): void {
  if (!signal.aborted) return;
  throw partialError('EXPORT_INTERRUPTED', 'The export was interrupted; nothing of it is left.', {
    hint: 'Run the same command again: it begins anew.',
  });
}

/**
 * Both sessions have looked at the same moment: what they counted is the same, or one of them has not seen all, as when
 * a partition came between the two.
 */
function withHash({ table, stored, rows }: Copied, sums: readonly TableSum[]): WrittenTable {
  const sum = sums.find((one) => one.table === table.name);
  if (sum?.rows === rows) return { table, stored, rows, hash: sum.hash };
  throw conflictError(
    'EXPORT_TABLES_CHANGED',
    `Table ${table.name} gave ${rows} rows to its file and ${sum?.rows ?? 'none'} to their sum, in one snapshot.`,
    {
      hint: 'Nothing was written. Was a partition attached or detached meanwhile? Run the same command again when that is through.',
      facts: { table: table.name, rows, summed: sum?.rows ?? null },
    },
  );
}
