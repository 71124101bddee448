import type { BagReport } from '../core/bag-report.js';
import type { PublicKey } from '../core/signature.js';
import { verifyBag } from '../engine/bag/verify.js';

/**
 * Compares an export with what it says of itself; needs no fleet.
 * @throws usage error `EXPORT_NOT_FOUND` or `EXPORT_NOT_A_BAG` (exit 2) · conflict `EXPORT_UNFINISHED` (exit 5)
 */
export function verifyExport(directory: string, publicKey: PublicKey | undefined): Promise<BagReport> {
  return verifyBag(directory, { publicKey });
}
