import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type CertificateVerification, verifyCertificateText } from '../../core/certificate-proof.js';
import { differenceError, usageError } from '../../core/errors.js';
import { certificateVerificationText } from '../../render/certificate-text.js';
import type { Call, Outcome } from '../command.js';
import type { certificateVerify } from '../commands/certificate.js';
import { given } from '../given.js';
import { readPublicKeys } from '../public-keys.js';

export default async function handle({
  io,
  arguments: { file },
  options,
}: Call<typeof certificateVerify>): Promise<Outcome> {
  const text = await readFile(path.resolve(io.cwd, file), 'utf8').catch((cause: unknown) => {
    throw usageError(
      'FILE_UNREADABLE',
      `The certificate ${file} cannot be read: ${(cause as Error).message}`,
      {
        hint: 'Name the file that `tenantctl certificate <id> --out <file>` wrote.',
        facts: { file },
        cause,
      },
    );
  });
  const [key] = await readPublicKeys(io, options.key === undefined ? [] : [options.key]);
  const data = verifyCertificateText(text, key);
  return {
    data,
    text: (colors) => certificateVerificationText(data, colors),
    ...given({ failure: failureOf(file, data) }),
  };
}

function failureOf(file: string, { ok, differences }: CertificateVerification) {
  if (ok) return undefined;
  return differenceError('CERTIFICATE_DIFFERS', `${file} proves nothing: ${differences[0]?.message}.`, {
    hint: 'Ask whoever has issued it for it again: `tenantctl certificate <id> --out <file>`.',
    facts: { file },
  });
}
