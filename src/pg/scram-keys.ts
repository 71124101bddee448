import scram from 'pg/lib/crypto/utils.js';

const derive = scram.deriveKey;
const keys = new Map<string, Promise<ArrayBuffer>>();

/**
 * Lets this process derive the key of a password once for all connections: SCRAM makes it dear on purpose (RFC 5802, some thousand
 * rounds of hashing, 3 ms), and a fleet of two hundred databases asks for the same one two hundred times. What is
 * kept says no more than the password, which is kept as well; another password, or one that was set anew, has another salt.
 */
export function deriveScramKeysOnce(): void {
  scram.deriveKey = (password, salt, iterations) => {
    const what = `${iterations} ${Buffer.from(salt).toString('hex')} ${password}`;
    const known = keys.get(what) ?? derive(password, salt, iterations);
    keys.set(what, known);
    known.catch(() => keys.delete(what));
    return known;
  };
}
