import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { unwritable } from '../../engine/bag/failures.js';
import { packTar } from '../../engine/bag/tar.js';
import type { Fleet } from '../../engine/context.js';
import { type ExportRequest, exportTenant } from '../export.js';

/**
 * Exports one tenant as a tar with one folder, called like it. The whole of it is made in a temporary folder first, which is
 * removed: a tar begins only when nothing can fail any more but its reader.
 * @throws as `exportTenant`
 */
export async function exportAsTar(
  fleet: Fleet,
  { id, ...request }: Omit<ExportRequest, 'directory'> & { id: string },
  out: Writable,
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tenantctl-export-'));
  const directory = path.join(folder, 'bag');
  try {
    await exportTenant(fleet, { ...request, id, directory, deliveredTo: '-' }, { dryRun: false });
    await packTar(directory, id, out).catch((error: unknown) => {
      throw unwritable('the reader of the tar', error);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
