import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { usageError } from '../core/errors.js';
import { type PublicKey, parsePublicKey } from '../core/signature.js';
import type { Io } from './io.js';

/**
 * Reads the public keys that an option names, each a PEM file.
 * @throws usage error `KEY_UNREADABLE` (exit 2) · configuration error `PUBLIC_KEY_INVALID` (exit 3)
 */
export async function readPublicKeys(io: Io, files: readonly string[]): Promise<PublicKey[]> {
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(path.resolve(io.cwd, file), 'utf8').catch((cause: unknown) => {
        throw usageError('KEY_UNREADABLE', `The public key ${file} cannot be read.`, {
          hint: 'Give the path of a PEM file; `tenantctl certificate key` prints the one that belongs to signing.key.',
          facts: { file },
          cause,
        });
      });
      return parsePublicKey(text);
    }),
  );
}
