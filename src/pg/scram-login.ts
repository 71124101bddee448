import { createHash, createHmac } from 'node:crypto';
import scram from 'pg/lib/crypto/utils.js';

const derive = scram.deriveKey;
const keys = new Map<string, Promise<ArrayBuffer>>();

/**
 * Makes SCRAM cheap for who opens hundreds of connections. The key of a password is derived once for all of them: that is
 * dear on purpose (RFC 5802, some thousand rounds of hashing, 3 ms), and a fleet of two hundred databases asks for the same one
 * two hundred times. What is kept says no more than the password, which is kept as well; another password, or one that
 * was set anew, has another salt. The five hashes of a few bytes that each connection needs are made on the spot
 * and not sent to another thread and back: 0.9 ms less.
 */
export function makeScramCheap(): void {
  scram.deriveKey = (password, salt, iterations) => {
    const what = `${iterations} ${Buffer.from(salt).toString('hex')} ${password}`;
    const known = keys.get(what) ?? derive(password, salt, iterations);
    keys.set(what, known);
    known.catch(() => keys.delete(what));
    return known;
  };
  scram.hmacSha256 = async (key, text) => createHmac('sha256', new Uint8Array(key)).update(text).digest();
  scram.sha256 = async (bytes) => createHash('sha256').update(new Uint8Array(bytes)).digest();
}
