import { open } from 'node:fs/promises';
import path from 'node:path';
import type { SignedCertificate } from '../../core/certificate.js';
import type { CertificateVerification } from '../../core/certificate-proof.js';
import { differenceError, usageError } from '../../core/errors.js';
import { showCertificate } from '../../operations/certificate/show.js';
import { certificateText } from '../../render/certificate-text.js';
import type { Call, Outcome } from '../command.js';
import type { certificate } from '../commands/certificate.js';
import { given } from '../given.js';
import type { Io } from '../io.js';

export default async function handle({
  fleet,
  io,
  arguments: { id },
  options: { out },
}: Call<typeof certificate>): Promise<Outcome> {
  const { document, verification } = await showCertificate(fleet, id);
  const failure = failureOf(id, verification);
  if (out !== undefined && failure === undefined) await writeNew(io, out, document);
  return {
    data: document,
    text: (colors) =>
      out === undefined || failure !== undefined
        ? certificateText(document, verification, colors)
        : `${colors.green('ok')} wrote ${out}; \`tenantctl certificate verify ${out}\` proves it anywhere`,
    // A password that is an ordinary word would be struck out of what is signed; secrets were before it was.
    unredacted: true,
    ...given({ failure }),
  };
}

/** @throws usage error `FILE_EXISTS` or `FILE_UNWRITABLE` (exit 2) */
async function writeNew(io: Io, file: string, document: SignedCertificate): Promise<void> {
  try {
    const target = await open(path.resolve(io.cwd, file), 'wx', 0o600);
    try {
      await target.writeFile(`${JSON.stringify(document, null, 2)}\n`);
      await target.sync();
    } finally {
      await target.close();
    }
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw exists
      ? usageError('FILE_EXISTS', `${file} is there already; it was left as it is.`, {
          hint: 'Name another file.',
          facts: { file },
        })
      : usageError('FILE_UNWRITABLE', `${file} cannot be written: ${(cause as Error).message}`, {
          hint: 'Name a file in a folder that exists and that you may write to.',
          facts: { file },
          cause,
        });
  }
}

function failureOf(id: string, { ok, differences }: CertificateVerification) {
  if (ok) return undefined;
  return differenceError(
    'CERTIFICATE_DIFFERS',
    `The certificate of tenant ${id} is not as it was signed: ${differences[0]?.message}.`,
    {
      hint: 'Somebody has changed it in the catalog. A file that was handed over may still be right: `tenantctl certificate verify <file>`.',
      facts: { tenant: id, differences },
    },
  );
}
