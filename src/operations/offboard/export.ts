import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isTenantctlError } from '../../core/errors.js';
import type { ExportRecord } from '../../core/offboarding.js';
import { shortId } from '../../core/short-id.js';
import { TAG_FILES } from '../../engine/bag/layout.js';
import { readManifest } from '../../engine/bag/read.js';
import { verifyBag } from '../../engine/bag/verify.js';
import type { StoredOffboarding } from '../../engine/catalog/offboardings.js';
import type { TenantRecord } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { exportHome } from '../export.js';
import { homeOf } from '../home.js';

/**
 * Exports a tenant that is leaving. An export of this very offboarding that was finished before a crash is taken as it
 * is, when it verifies.
 * @param wished a folder; one under `retention.directory` when left out
 */
export async function exportLeaving(
  fleet: Fleet,
  record: TenantRecord,
  offboarding: StoredOffboarding,
  wished: string | undefined,
): Promise<ExportRecord> {
  const directory = path.resolve(wished ?? exportDirectory(fleet, offboarding));
  try {
    const home = homeOf(fleet, record);
    const { manifestSha256, rows, bytes, manifest } = await exportHome(fleet, home, { directory });
    return { directory, manifestSha256, rows, bytes, finishedAt: manifest.snapshot.at };
  } catch (error) {
    const finished = isTargetThere(error) ? await finishedBefore(directory, record, offboarding) : undefined;
    if (finished === undefined) throw error;
    return finished;
  }
}

/** Beside the exports of other tenants, by a name that says which offboarding it belongs to. */
function exportDirectory(fleet: Fleet, { tenant, offboarding }: StoredOffboarding): string {
  return path.join(fleet.settings.retention.directory, `${tenant}-${shortId(offboarding)}`);
}

function isTargetThere(error: unknown): boolean {
  return isTenantctlError(error) && error.code === 'EXPORT_TARGET_EXISTS';
}

async function finishedBefore(
  directory: string,
  { key }: TenantRecord,
  { requestedAt }: StoredOffboarding,
): Promise<ExportRecord | undefined> {
  const manifest = await readManifest(directory).catch(() => undefined);
  if (manifest?.tenant.key !== key || Date.parse(manifest.snapshot.at) < Date.parse(requestedAt))
    return undefined;
  if (!(await verifyBag(directory)).ok) return undefined;
  const manifestSha256 = createHash('sha256')
    .update(await readFile(path.join(directory, TAG_FILES.manifest)))
    .digest('hex');
  const sum = (of: 'rows' | 'bytes'): number =>
    manifest.tables.reduce((total, table) => total + table[of], 0);
  return {
    directory,
    manifestSha256,
    rows: sum('rows'),
    bytes: sum('bytes'),
    finishedAt: manifest.snapshot.at,
  };
}
