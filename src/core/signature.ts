import {
  type KeyObject,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import { configError } from './errors.js';

/** What signs exports, certificates and checkpoints: Ed25519. */
export interface SigningKey {
  /** The beginning of the public key's sha256: names it in what it has signed. */
  id: string;
  /** As PEM, for whoever verifies. */
  publicKey: string;
  privateKey: KeyObject;
}

/** What verifies what that key has signed. */
export interface PublicKey {
  id: string;
  key: KeyObject;
}

/** A detached signature and who made it. */
export interface Signature {
  algorithm: 'Ed25519';
  keyId: string;
  /** base64 */
  value: string;
}

const KEY_ID_LENGTH = 16;

/**
 * Reads a private key: PEM (line breaks may be written as `\n`), or the base64 of its PKCS #8 form.
 * @throws configuration error `SIGNING_KEY_INVALID` (exit 3), which never repeats the text
 */
export function parseSigningKey(text: string): SigningKey {
  const privateKey = readPrivateKey(text);
  if (privateKey?.asymmetricKeyType !== 'ed25519') throw invalidKey();
  const publicKey = createPublicKey(privateKey);
  return { id: keyId(publicKey), publicKey: toPem(publicKey), privateKey };
}

function readPrivateKey(text: string): KeyObject | undefined {
  const unescaped = text.trim().replaceAll('\\n', '\n');
  try {
    return unescaped.startsWith('-----')
      ? createPrivateKey(unescaped)
      : createPrivateKey({ key: Buffer.from(unescaped, 'base64'), format: 'der', type: 'pkcs8' });
  } catch {
    return undefined;
  }
}

/**
 * Reads a public key as PEM.
 * @throws configuration error `PUBLIC_KEY_INVALID` (exit 3)
 */
export function parsePublicKey(text: string): PublicKey {
  try {
    const key = createPublicKey(text);
    if (key.asymmetricKeyType === 'ed25519') return { id: keyId(key), key };
  } catch {
    // Said below: what the library says would repeat parts of the text.
  }
  throw configError('PUBLIC_KEY_INVALID', 'This is not an Ed25519 public key as PEM.', {
    hint: '`tenantctl certificate key` prints the one that belongs to signing.key.',
  });
}

/** A new private key as PEM. Secret. */
export function generateSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function signText({ privateKey, id }: SigningKey, text: string): Signature {
  return {
    algorithm: 'Ed25519',
    keyId: id,
    value: sign(null, Buffer.from(text), privateKey).toString('base64'),
  };
}

/** Was this text, byte by byte, signed with the key that belongs to this public one? */
export function isSignedBy(publicKey: KeyObject, text: string, { value }: Pick<Signature, 'value'>): boolean {
  return verify(null, Buffer.from(text), publicKey, Buffer.from(value, 'base64'));
}

function keyId(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, KEY_ID_LENGTH);
}

function toPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function invalidKey() {
  return configError('SIGNING_KEY_INVALID', 'signing.key is not an Ed25519 private key.', {
    hint: 'Make one: `openssl genpkey -algorithm ed25519`. Give it as PEM, line breaks written as \\n, or as the base64 of its DER form.',
    facts: { path: 'signing.key' },
  });
}
