import { existsSync } from 'node:fs';
import path from 'node:path';
import { configError, type TenantctlError } from '../core/errors.js';
import { SELF, type Account } from './account.js';
import type { Environment } from './environment.js';
import { findPackage, packageAround, type NativePackage } from './native-package.js';
import { privateCopy } from './private-copy.js';
import { runProgram, type Outcome } from './program.js';
import { hydrateSymlinks } from './symlinks.js';

/** Where PostgreSQL's programs are, before it is known whether the server's user can run them. */
export interface Located {
  readonly bin: string;
  readonly major: number;
  /** Present when they come from an npm package, whose faults can be mended. */
  readonly package?: NativePackage;
}

/** Programs that the server's user can run. */
export interface Binaries {
  readonly bin: string;
  readonly version: string;
}

const OLDEST_MAJOR = 15;
const PROGRAMS = ['postgres', 'initdb'] as const;

/**
 * Finds PostgreSQL: in `$TENANTCTL_PG_BIN` when that is set, else in the installed npm package.
 * @throws configError when there is none, or one that is too old
 */
export async function locateBinaries(env: Environment): Promise<Located> {
  const wanted = env['TENANTCTL_PG_BIN'];
  const located = wanted ? await locateInstallation(wanted) : inPackage(findPackage());
  if (located.major >= OLDEST_MAJOR) return located;
  throw configError(
    'LOCAL_SERVER_TOO_OLD',
    `${located.bin} holds PostgreSQL ${located.major}; the local server needs ${OLDEST_MAJOR} or newer.`,
    { hint: 'Point TENANTCTL_PG_BIN at a newer one, or unset it to use the one that came with tenantctl.' },
  );
}

async function locateInstallation(bin: string): Promise<Located> {
  const fault = misplaced(bin);
  if (fault) throw badBin(bin, fault);
  const native = packageAround(bin);
  if (native) return inPackage(native);
  const trial = await tryPrograms(bin, SELF);
  if (!trial.binaries) throw cannotRun(trial, SELF);
  return { bin, major: majorOf(trial.binaries.version) };
}

function misplaced(bin: string): string | undefined {
  if (!path.isAbsolute(bin)) return 'it is not an absolute path';
  if (!existsSync(bin)) return 'there is no such directory';
  const missing = PROGRAMS.find((program) => !existsSync(path.join(bin, program)));
  if (!missing) return undefined;
  const nested = path.join(bin, 'bin');
  return existsSync(path.join(nested, missing)) ? `did you mean ${nested}?` : `it holds no ${missing}`;
}

function badBin(bin: string, fault: string): TenantctlError {
  return configError('LOCAL_SERVER_BAD_BIN', `TENANTCTL_PG_BIN is ${bin}: ${fault}`, {
    hint: 'It must name the bin directory of a PostgreSQL server, such as /usr/lib/postgresql/17/bin.',
  });
}

function inPackage(native: NativePackage): Located {
  return { bin: path.join(native.native, 'bin'), major: majorOf(native.version), package: native };
}

/**
 * Makes sure that `account` can run the programs. Those of a package get their symlinks first (they
 * are missing when install scripts were off) and, where that does not help, a private copy in `cache`.
 * @throws configError with the system's reason when they cannot run
 */
export async function usableBinaries(located: Located, account: Account, cache: string): Promise<Binaries> {
  const { bin, package: native } = located;
  let trial = await tryPrograms(bin, account);
  if (trial.binaries) return trial.binaries;
  if (!native || isForeignBuild(trial)) throw cannotRun(trial, account);
  if (await hydrateSymlinks(native.native)) trial = await tryPrograms(bin, account);
  if (trial.binaries) return trial.binaries;
  trial = await tryPrograms(path.join(await privateCopy(native, cache), 'bin'), account);
  if (trial.binaries) return trial.binaries;
  throw cannotRun(trial, account);
}

interface Trial {
  readonly program: string;
  readonly outcome: Outcome;
  readonly binaries?: Binaries;
}

/** Both are tried, because they need different libraries. */
async function tryPrograms(bin: string, account: Account): Promise<Trial> {
  const initdb = path.join(bin, 'initdb');
  const first = await runProgram(initdb, ['--version'], account);
  if (!first.ok) return { program: initdb, outcome: first };
  const program = path.join(bin, 'postgres');
  const outcome = await runProgram(program, ['--version'], account);
  const version = outcome.ok ? parseVersion(outcome.stdout) : undefined;
  return { program, outcome, ...(version && { binaries: { bin, version } }) };
}

/** The file is there and yet "not found": what is missing is the loader that it was built for. */
function isForeignBuild({ program, outcome }: Trial): boolean {
  return outcome.spawnCode === 'ENOENT' && existsSync(program);
}

function cannotRun(trial: Trial, account: Account): TenantctlError {
  const { program, outcome } = trial;
  const why = isForeignBuild(trial)
    ? 'it was built for another C library (it needs glibc; Alpine, for one, has musl)'
    : outcome.spawnCode === 'EACCES'
      ? `${account.name} may not run it: its file system is mounted noexec, or a folder above it is closed`
      : outcome.stderr.trim() || `it answers "${outcome.stdout.trim()}" when asked for its version`;
  return configError('LOCAL_SERVER_CANNOT_RUN', `${program} does not run: ${why}`, {
    hint: 'Set TENANTCTL_PG_BIN to the bin directory of a PostgreSQL that runs on this machine.',
  });
}

/** "postgres (PostgreSQL) 15.18 (Debian …)" → "15.18" */
function parseVersion(said: string): string | undefined {
  return /\(PostgreSQL\) (\d+\S*)/.exec(said)?.[1];
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}
