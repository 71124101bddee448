import type { BagReport } from '../../core/bag-report.js';
import type { PublicKey, Signature } from '../../core/signature.js';
import { parsePublicKey } from '../../core/signature.js';
import { TAG_FILES } from './layout.js';
import type { FoundBag } from './report.js';
import { isManifestSignedBy, parseSignature } from './signing.js';

/**
 * Checks the signature with the key that is given, or else with the one in the export.
 * @returns who signed it, or null when that cannot be told
 */
export async function checkSignature(
  bag: FoundBag,
  given: PublicKey | undefined,
): Promise<BagReport['signed']> {
  const { signature: file, publicKey } = TAG_FILES;
  const [signature, pem] = [await bag.text(file), await bag.text(publicKey)];
  if (signature === undefined) {
    if (given !== undefined) bag.findings.add(file, 'missing', `it is not signed by key ${given.id}`);
    else if (pem !== undefined) bag.findings.add(file, 'missing', `there is ${publicKey}, and no signature`);
    return null;
  }
  const parsed = parseSignature(signature);
  const key = given ?? (pem === undefined ? undefined : keyOf(pem));
  if (parsed === undefined) bag.findings.add(file, 'invalid', 'it is not a signature');
  else if (key === undefined) bag.findings.add(publicKey, 'missing', 'the key that signed it is not there');
  else if (await isSigned(bag, key, parsed))
    return { keyId: key.id, by: given === undefined ? 'the key in the export' : 'the given key' };
  return null;
}

async function isSigned(bag: FoundBag, key: PublicKey, signature: Signature): Promise<boolean> {
  const { signature: file, manifest, payload } = TAG_FILES;
  if (signature.keyId !== key.id) {
    bag.findings.add(file, 'signature', `it is of key ${signature.keyId}, not of key ${key.id}`);
    return false;
  }
  const [text, sums] = [await bag.text(manifest), bag.files.get(payload)];
  if (text !== undefined && sums !== undefined && isManifestSignedBy(key.key, text, sums.sha256, signature))
    return true;
  bag.findings.add(file, 'signature', `key ${key.id} did not sign this ${manifest} and this ${payload}`);
  return false;
}

function keyOf(pem: string): PublicKey | undefined {
  try {
    return parsePublicKey(pem);
  } catch {
    return undefined;
  }
}
