import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { conflictError, configError } from '../core/errors.js';
import { rememberSecret } from '../core/redact.js';
import { SELF, type Account } from './account.js';
import type { Binaries } from './binaries.js';
import {
  clusterIn,
  clustersOf,
  PASSWORD_FILES,
  writePrivately,
  type Cluster,
  type Passwords,
} from './cluster.js';
import { explainFailure } from './failure.js';
import { findHome } from './home.js';
import { livePostmaster } from './postmaster.js';
import { runProgram } from './program.js';
import { createRoles } from './roles.js';

/** Where a new cluster goes, and what it is made with. */
interface NewCluster {
  readonly home: string;
  readonly major: number;
  readonly account: Account;
  readonly binaries: Binaries;
}

const DRAFT = /^pg\d+\.new-/;

/** Nobody gets in without a password; the server listens on TCP of this machine only. */
const HOST_BASED_AUTHENTICATION = `# written by tenantctl
host  all          all  127.0.0.1/32  scram-sha-256
host  replication  all  127.0.0.1/32  scram-sha-256
`;

/**
 * Makes a cluster with its two roles. It is made under another name and renamed when it is complete,
 * so that a command killed half-way leaves nothing that the next one could take for a cluster. Call it
 * under the lock.
 */
export async function initialiseCluster(plan: NewCluster): Promise<Cluster> {
  return inDraft(plan, async (draft) => {
    await makeDataDirectory(draft.data, plan.account);
    await initdb(draft, plan);
    await demandPasswords(draft.data, plan.account);
    const passwords = newPasswords();
    await createRoles(draft.data, plan.binaries, plan.account, passwords);
    for (const role of ['superuser', 'admin'] as const) {
      await writePrivately(path.join(draft.directory, PASSWORD_FILES[role]), `${passwords[role]}\n`);
    }
  });
}

/**
 * Makes a cluster by copying a stopped one, passwords included: a fifth of the time that initdb takes.
 * @param from the directory of the local server to copy
 */
export async function copyCluster(plan: Pick<NewCluster, 'home' | 'major'>, from: string): Promise<Cluster> {
  const template = await stoppedTemplate(from, plan.major);
  return inDraft(plan, async (draft) => {
    const files = ['data', ...Object.values(PASSWORD_FILES)].map((name) =>
      path.join(template.directory, name),
    );
    // cp keeps owners and, where the file system can, shares blocks; Node's own copy does neither.
    const copy = await runProgram('cp', ['-a', ...files, draft.directory], SELF);
    if (!copy.ok) throw explainFailure(`Could not copy ${template.directory}`, copy.stderr, {});
    await rm(path.join(draft.data, 'postmaster.pid'), { force: true });
  });
}

async function stoppedTemplate(from: string, major: number): Promise<Cluster> {
  const template = (await clustersOf(await findHome(from))).find((cluster) => cluster.major === major);
  if (!template) {
    throw configError('LOCAL_SERVER_NO_TEMPLATE', `${from} holds no PostgreSQL ${major} cluster to copy.`);
  }
  if (!(await livePostmaster(template.data))) return template;
  throw conflictError(
    'LOCAL_SERVER_TEMPLATE_RUNS',
    `The cluster to copy, ${template.directory}, is running.`,
    {
      hint: 'Stop it first: the copy of a running cluster is a broken one.',
    },
  );
}

async function inDraft(
  { home, major }: Pick<NewCluster, 'home' | 'major'>,
  fill: (draft: Cluster) => Promise<void>,
): Promise<Cluster> {
  await sweepDrafts(home);
  const draft = clusterIn(path.join(home, `pg${major}.new-${randomBytes(6).toString('hex')}`), major);
  await mkdir(draft.directory);
  await chmod(draft.directory, 0o755);
  try {
    await fill(draft);
    const cluster = clusterIn(path.join(home, `pg${major}`), major);
    await rename(draft.directory, cluster.directory);
    return cluster;
  } catch (error) {
    await removeDraft(draft.directory);
    throw error;
  }
}

/** What killed commands have left behind: under the lock, no draft has a living maker. */
async function sweepDrafts(home: string): Promise<void> {
  const drafts = (await readdir(home)).filter((name) => DRAFT.test(name));
  await Promise.all(drafts.map((name) => removeDraft(path.join(home, name))));
}

/** The initdb of a killed command may go on writing for a moment, hence the retries. */
async function removeDraft(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

async function makeDataDirectory(data: string, { switchTo }: Account): Promise<void> {
  await mkdir(data, { mode: 0o700 });
  if (switchTo) await chown(data, switchTo.uid, switchTo.gid);
}

async function initdb({ data }: Cluster, { major, binaries, account }: NewCluster): Promise<void> {
  const builtin = major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : [];
  const made = await runProgram(
    path.join(binaries.bin, 'initdb'),
    // "trust" until pg_hba.conf is replaced: the server is not running, and initdb wants no password file.
    ['-D', data, '-U', 'postgres', '-E', 'UTF8', '--locale=C', ...builtin, '--auth=trust', '--no-sync'],
    account,
  );
  if (!made.ok) throw explainFailure('The local server could not be made (initdb)', made.stderr, { data });
}

/** Written as the server's user: root does not write into a folder where another user could plant a link. */
async function demandPasswords(data: string, account: Account): Promise<void> {
  const file = path.join(data, 'pg_hba.conf');
  const written = await runProgram('/bin/sh', ['-c', 'cat >"$0"', file], account, HOST_BASED_AUTHENTICATION);
  if (!written.ok) throw explainFailure('The local server could not be closed', written.stderr, { file });
}

function newPasswords(): Passwords {
  const [superuser, admin] = [newPassword(), newPassword()];
  return { superuser, admin };
}

/** Letters, digits, - and _ only, so that it needs quoting in no URL and no SQL. */
function newPassword(): string {
  const password = randomBytes(24).toString('base64url');
  rememberSecret(password);
  return password;
}
