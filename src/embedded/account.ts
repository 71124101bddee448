import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { configError, conflictError } from '../core/errors.js';
import type { Environment } from './environment.js';

/** Who runs the server: this process's own user, or, for root, the user to switch to. */
export interface Account {
  readonly name: string;
  /** Absent when the server runs as this process's own user; spread it into spawn's options. */
  readonly switchTo?: { readonly uid: number; readonly gid: number };
}

/** What the choice depends on, so that it can be tested without being root. */
interface AccountFacts {
  readonly uid: number;
  readonly passwd: string;
  readonly wanted: string | undefined;
}

/** This process's own user. */
export const SELF: Account = { name: 'this user' };

/**
 * Chooses who runs a new server. PostgreSQL refuses to run as root, so root gets `$TENANTCTL_PG_USER`,
 * else `postgres`, else `nobody`. No user is ever created on the host.
 * @throws configError when root has no user to give the server to
 */
export function accountForNewServer(env: Environment): Account {
  const uid = process.geteuid?.() ?? -1;
  const passwd = uid === 0 ? readFileSync('/etc/passwd', 'utf8') : '';
  return chooseAccount({ uid, passwd, wanted: env['TENANTCTL_PG_USER'] });
}

/** The rule behind {@link accountForNewServer}. */
export function chooseAccount({ uid, passwd, wanted }: AccountFacts): Account {
  if (uid !== 0) return SELF;
  const candidates = wanted ? [wanted] : ['postgres', 'nobody'];
  const found = candidates.map((name) => userNamed(name, passwd)).find((user) => user !== undefined);
  if (!found) throw noSuchUser(candidates);
  if (found.switchTo?.uid === 0) throw rootRefused(`TENANTCTL_PG_USER is ${found.name}, which is root`);
  return found;
}

/**
 * Who runs the server of an existing data directory: its owner, because PostgreSQL accepts no one else.
 * @throws conflictError when root owns it
 */
export async function accountForData(data: string): Promise<Account> {
  if (process.geteuid?.() !== 0) return SELF;
  const { uid, gid } = await stat(data);
  if (uid === 0) throw rootRefused(`${data} belongs to root`);
  return { name: `uid ${uid}`, switchTo: { uid, gid } };
}

function userNamed(name: string, passwd: string): Account | undefined {
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find((line) => line[0] === name);
  if (!fields) return undefined;
  return { name, switchTo: { uid: Number(fields[2]), gid: Number(fields[3]) } };
}

function noSuchUser(candidates: string[]): Error {
  return configError(
    'LOCAL_SERVER_NO_USER',
    `PostgreSQL does not run as root, and /etc/passwd has no user ${candidates.join(' or ')}.`,
    { hint: 'Set TENANTCTL_PG_USER to an unprivileged user of this machine, or run as that user.' },
  );
}

function rootRefused(why: string): Error {
  return conflictError('LOCAL_SERVER_ROOT', `PostgreSQL does not run as root, but ${why}.`, {
    hint: 'Give it to an unprivileged user (chown -R), or set TENANTCTL_PG_USER to one.',
  });
}
