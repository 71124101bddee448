import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { EXIT, TenantctlError } from '../../core/errors.js';
import type { ExportManifest } from '../../core/export-manifest.js';
import type { PublicKey } from '../../core/signature.js';
import { TAG_FILES } from '../../engine/bag/layout.js';
import { readManifest } from '../../engine/bag/read.js';
import type { BagReport } from '../../engine/bag/report.js';
import { verifyBag } from '../../engine/bag/verify.js';

/** An export that was found to be what it says. */
export interface Bag {
  directory: string;
  manifest: ExportManifest;
  /** Names the export in the catalog and in the audit log. */
  manifestSha256: string;
}

/**
 * Verifies an export before anything is made of it.
 * @param publicKey whose signature it must bear
 * @throws as `verifyBag`, and difference error `EXPORT_DAMAGED` (exit 8)
 */
export async function openBag(directory: string, publicKey?: PublicKey): Promise<Bag> {
  const report = await verifyBag(directory, { publicKey });
  if (!report.ok) throw damaged(report);
  const text = await readFile(path.join(directory, TAG_FILES.manifest));
  const manifestSha256 = createHash('sha256').update(text).digest('hex');
  return { directory, manifest: await readManifest(directory), manifestSha256 };
}

/** Rows of the tenant in an export. */
export function rowsOf({ tables }: ExportManifest): number {
  return tables.filter(({ kind }) => kind === 'tenant').reduce((sum, { rows }) => sum + rows, 0);
}

function damaged({ directory, differences }: BagReport) {
  const said = differences.slice(0, 4).map(({ file, message }) => `${file}: ${message}`);
  return new TenantctlError(
    'EXPORT_DAMAGED',
    EXIT.difference,
    `The export in ${directory} is not what it says, so nothing was made of it: ${said.join('; ')}.`,
    {
      hint: `\`tenantctl export verify ${directory}\` lists every difference; take another copy of the export.`,
      facts: { directory, differences },
    },
  );
}
