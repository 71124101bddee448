import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { rememberSecret } from '../core/redact.js';
import { generateSigningKey } from '../core/signature.js';

const NAME = 'signing-key.pem';

/**
 * The key that signs for a local fleet; made the first time. Of two processes that make it at once one wins, and both
 * have the same.
 * @param directory the folder of the local server
 */
export async function localSigningKey(directory: string): Promise<string> {
  const file = path.join(directory, NAME);
  const key = (await readIfThere(file)) ?? (await makeKey(file));
  rememberSecret(key);
  return key;
}

async function makeKey(file: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  const passing = `${file}.${process.pid}`;
  await writeFile(passing, generateSigningKey(), { mode: 0o600 });
  try {
    await link(passing, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(passing, { force: true });
  }
  return readFile(file, 'utf8');
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
