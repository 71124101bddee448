import type { KeyObject } from 'node:crypto';
import { type Signature, type SigningKey, isSignedBy, signText } from '../../core/signature.js';

/**
 * What is signed: the manifest byte by byte, and after it the sum of the list of all payload files, so that the
 * signature covers every one of them.
 */
function signedText(manifest: string, payloadSha256: string): string {
  return `${manifest}manifest-sha256.txt ${payloadSha256}\n`;
}

/**
 * @param manifest `manifest.json` as it is written
 * @param payloadSha256 of `manifest-sha256.txt`
 */
export function signManifest(key: SigningKey, manifest: string, payloadSha256: string): Signature {
  return signText(key, signedText(manifest, payloadSha256));
}

export function isManifestSignedBy(
  key: KeyObject,
  manifest: string,
  payloadSha256: string,
  signature: Pick<Signature, 'value'>,
): boolean {
  return isSignedBy(key, signedText(manifest, payloadSha256), signature);
}

/** A detached signature as it is stored, or undefined when the text is none. */
export function parseSignature(text: string): Signature | undefined {
  try {
    const { algorithm, keyId, value } = JSON.parse(text) as Record<string, unknown>;
    if (algorithm !== 'Ed25519' || typeof keyId !== 'string' || typeof value !== 'string') return undefined;
    return { algorithm, keyId, value };
  } catch {
    return undefined;
  }
}
