import { resolve } from 'node:path';
import type { BagReport } from '../../core/bag-report.js';
import { differenceError } from '../../core/errors.js';
import { verifyExport } from '../../operations/verify-export.js';
import { exportReportText } from '../../render/export-text.js';
import { counted } from '../../core/counted.js';
import type { Call, Outcome } from '../command.js';
import type { exportVerify } from '../commands/export.js';
import { given } from '../given.js';
import { readPublicKeys } from '../public-keys.js';

export default async function handle({
  io,
  arguments: { dir },
  options: { key },
}: Call<typeof exportVerify>): Promise<Outcome> {
  const [publicKey] = await readPublicKeys(io, key === undefined ? [] : [key]);
  const data = await verifyExport(resolve(io.cwd, dir), publicKey);
  return {
    data,
    text: (colors) => exportReportText(data, colors),
    ...given({ failure: failureOf(data) }),
  };
}

function failureOf({ ok, directory, differences }: BagReport) {
  if (ok) return undefined;
  return differenceError(
    'EXPORT_DIFFERS',
    `${directory} is not what it says: ${counted(differences.length, 'difference')}.`,
    {
      hint: 'Do not restore from it and do not hand it on. `tenantctl export` makes a new one while the tenant is there.',
      facts: { directory, differences: differences.length },
    },
  );
}
