import { requireSigningKey } from '../../operations/signing.js';
import type { Call, Outcome } from '../command.js';
import type { certificateKey } from '../commands/certificate.js';

export default function handle({ fleet }: Call<typeof certificateKey>): Promise<Outcome> {
  const { id, publicKey } = requireSigningKey(fleet.settings);
  // Whatever reads PEM passes over the line before it, so that this can go into a file as it is.
  return Promise.resolve({ data: { keyId: id, publicKey }, text: () => `key ${id}\n${publicKey.trimEnd()}` });
}
