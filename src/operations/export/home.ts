import {
  type DataFormat,
  EXPORT_FORMAT,
  type ExportManifest,
  type ExportedTable,
} from '../../core/export-manifest.js';
import { parseSigningKey } from '../../core/signature.js';
import { TOOL_VERSION } from '../../core/version.js';
import { sequencesText } from '../../engine/bag/contents.js';
import { unwritable } from '../../engine/bag/failures.js';
import { POST_DATA, PRE_DATA, SEQUENCES } from '../../engine/bag/layout.js';
import { assertFree } from '../../engine/bag/partial.js';
import { BagWriter } from '../../engine/bag/writer.js';
import type { Fleet } from '../../engine/context.js';
import { type ExportPlan, planExport } from '../../engine/export/plan.js';
import { writeSchema } from '../../engine/export/schema/write.js';
import { readSequences } from '../../engine/export/sequences.js';
import { type Snapshot, describeSnapshot, inSnapshot } from '../../engine/export/snapshot.js';
import { newestOf, readLedger } from '../../engine/ledger/entries.js';
import type { Home } from '../../engine/local/placements.js';
import type { Side } from '../../engine/rows/side.js';
import { driverOf } from '../../engine/tiers/registry.js';
import { type WrittenTable, writeTables } from './copy.js';

/** Where an export goes, and how its rows are written. */
export interface ExportRequest {
  /** Absolute path of a folder that is not there yet. */
  directory: string;
  /** `csv` when left out. */
  format?: DataFormat;
  gzip?: boolean;
}

/** A finished export. */
export interface Exported {
  manifest: ExportManifest;
  files: number;
  rows: number;
  /** Of the payload, as stored. */
  bytes: number;
  directory: string;
  manifestSha256: string;
}

/**
 * Exports what a home holds of its tenant, whatever the status of the tenant is: for callers who hold its lock and write the
 * audit log themselves. The folder has its name only when it is whole; after a failure nothing is left.
 *
 * @throws conflict (exit 5) `EXPORT_TARGET_EXISTS`, `EXPORT_PARTIAL_EXISTS`, `EXPORT_UNDER_WAY`, `EXPORT_UNWRITABLE`,
 *   `EXPORT_DISK_FULL`, `EXPORT_TABLE_LOCKED`, `EXPORT_TABLES_CHANGED`, `EXPORT_TABLE_UNREADABLE`
 * @throws refusal (exit 6) `EXPORT_UNCLASSIFIED` or `EXPORT_ROWS_HIDDEN`
 * @throws partial error `EXPORT_INTERRUPTED` (exit 7)
 */
export async function exportHome(fleet: Fleet, home: Home, request: ExportRequest): Promise<Exported> {
  const { id } = home.tenant;
  await assertFolderFree(request.directory);
  return inSnapshot(fleet, sideOf(home), async (snapshot) => {
    const plan = await planExport(snapshot, fleet.settings.tenancy);
    fleet.emit({ type: 'export.started', tenant: id, tables: plan.tables.length });
    const bag = await BagWriter.open(request.directory);
    try {
      const exported = await fillBag(fleet, snapshot, plan, bag, request);
      const { rows, bytes, directory } = exported;
      fleet.emit({ type: 'export.finished', tenant: id, rows, bytes, directory });
      return exported;
    } catch (error) {
      await bag.discard();
      throw error;
    }
  });
}

/** What an export would hold. Changes nothing. */
export async function planHome(fleet: Fleet, home: Home, request: ExportRequest): Promise<ExportPlan> {
  await assertFolderFree(request.directory);
  return inSnapshot(fleet, sideOf(home), (snapshot) => planExport(snapshot, fleet.settings.tenancy));
}

async function assertFolderFree(directory: string): Promise<void> {
  await assertFree(directory).catch((error: unknown) => {
    throw unwritable(directory, error);
  });
}

function sideOf(home: Home): Side {
  return { name: 'source', home, shared: driverOf(home.placement.tier).facts.sharesUnit };
}

async function fillBag(
  fleet: Fleet,
  snapshot: Snapshot,
  plan: ExportPlan,
  bag: BagWriter,
  { directory, format = 'csv', gzip = false }: ExportRequest,
): Promise<Exported> {
  const key = fleet.settings.signing.key;
  const signer = key === null ? null : parseSigningKey(key);
  const written = await writeTables(fleet, snapshot, plan.tables, bag, { format, gzip });
  const sequences = await readSequences(snapshot, plan.tables);
  const { preData, postData } = await writeSchema(snapshot, plan, sequences);
  await bag.write(PRE_DATA, preData);
  await bag.write(POST_DATA, postData);
  await bag.write(SEQUENCES, sequencesText(sequences));
  const manifest: ExportManifest = {
    ...(await describeHome(snapshot)),
    ...(await describeSnapshot(snapshot)),
    data: { format, compression: gzip ? 'gzip' : null },
    tables: written.map(toExported),
    circles: plan.circles,
    leftOut: plan.leftOut,
    sequences,
    largeObjects: plan.largeObjects,
  };
  const finished = await bag.seal(manifest, signer);
  fleet.reach('export.written');
  await bag.publish();
  const rows = written.reduce((sum, table) => sum + table.rows, 0);
  return { manifest, ...finished, rows, directory };
}

async function describeHome({
  session,
  side,
}: Snapshot): Promise<
  Pick<ExportManifest, 'format' | 'tool' | 'createdAt' | 'tenant' | 'home' | 'migration'>
> {
  const { tenant, placement, epoch } = side.home;
  const unit = driverOf(placement.tier).unit(tenant.id, placement);
  const newest = newestOf(await readLedger(session, unit));
  return {
    format: EXPORT_FORMAT,
    tool: TOOL_VERSION,
    createdAt: new Date().toISOString(),
    tenant: { id: tenant.id, key: tenant.key },
    home: { ...placement, epoch },
    migration: newest === null ? null : { id: newest.id, name: newest.name },
  };
}

function toExported({ table, stored, rows, hash }: WrittenTable): ExportedTable {
  const { name, kind, columns, key, references, leftOutColumns } = table;
  const { file, bytes, sha256 } = stored;
  return {
    table: name,
    kind,
    file,
    rows,
    bytes,
    sha256,
    hash,
    columns: columns.map(({ name: column, type, notNull }) => ({ name: column, type, notNull })),
    key,
    references,
    leftOutColumns,
  };
}
