import { canonicalJson } from './canonical-json.js';
import { contradictions } from './certificate-checks.js';
import { readCertificateText } from './certificate-form.js';
import type { CertificateDifference, SignedCertificate } from './certificate.js';
import { isTenantctlError } from './errors.js';
import { type PublicKey, isSignedBy, parsePublicKey } from './signature.js';

export interface CertificateVerification {
  ok: boolean;
  /** Its id and tenant; null when the file cannot be read. */
  certificate: string | null;
  tenant: string | null;
  /** Of the key that the signature was checked with; null when there was none. */
  keyId: string | null;
  /** `given`: somebody has named the key. `file`: it came with the certificate, and proves only that it is unchanged since. */
  keyFrom: 'given' | 'file';
  differences: CertificateDifference[];
}

/**
 * Is this text a certificate, unchanged since it was signed, and does what it says fit together? Needs nothing but the text.
 * @param given the key that must have signed it; without one the key in the text itself is asked
 */
export function verifyCertificateText(text: string, given: PublicKey | undefined): CertificateVerification {
  const read = readCertificateText(text);
  if ('document' in read) return verifyCertificate(read.document, given);
  return {
    ok: false,
    certificate: null,
    tenant: null,
    keyId: given?.id ?? null,
    keyFrom: given === undefined ? 'file' : 'given',
    differences: read.problems.map((message) => ({ kind: 'form', message })),
  };
}

/** The same for a document that was read. */
export function verifyCertificate(
  document: SignedCertificate,
  given: PublicKey | undefined,
): CertificateVerification {
  const { certificate } = document;
  const key = given ?? keyOf(document);
  const differences = [...signatureDifferences(document, key), ...contradictions(certificate)];
  return {
    ok: differences.length === 0,
    certificate: certificate.certificate,
    tenant: certificate.tenant.id,
    keyId: key?.id ?? null,
    keyFrom: given === undefined ? 'file' : 'given',
    differences,
  };
}

function signatureDifferences(
  document: SignedCertificate,
  key: PublicKey | undefined,
): CertificateDifference[] {
  const { certificate, signature } = document;
  const differs = (message: string) => [{ kind: 'signature', message }];
  if (key === undefined) return differs('the public key in it is none');
  if (signature.algorithm !== 'Ed25519')
    return differs(`it is signed with ${String(signature.algorithm)}, not with Ed25519`);
  if (signature.keyId !== key.id)
    return differs(`it says that key ${signature.keyId} has signed it, not ${key.id}`);
  if (isSignedBy(key.key, canonicalJson(certificate), signature)) return [];
  return differs('the signature does not fit: it was changed after it was signed, or by another key');
}

function keyOf({ publicKey }: SignedCertificate): PublicKey | undefined {
  try {
    return parsePublicKey(publicKey);
  } catch (error) {
    if (isTenantctlError(error)) return undefined;
    throw error;
  }
}
