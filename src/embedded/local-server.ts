import { readRecord, readPasswords, type Cluster } from './cluster.js';
import type { Launched } from './launch.js';
import { stopPostmaster, type Postmaster } from './postmaster.js';
import { ADMIN_ROLE, SUPERUSER_ROLE } from './roles.js';

/** A running local server. */
export interface LocalServer {
  readonly pid: number;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly major: number;
  readonly version: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  /** It was running already; the settings and the lifetime of this call had no effect. */
  readonly adopted: boolean;
  /** The fleet's admin: NOSUPERUSER CREATEDB CREATEROLE, as managed servers give it. Holds its password. */
  adminUrl(database: string): string;
  /** The role `postgres`. Holds its password. */
  superuserUrl(database: string): string;
  /** Shuts the server down, whoever started it, and returns when it is gone; again: no effect. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * Describes a running server to its user.
 * @param launched present when this process has started it
 * @throws TenantctlError when its passwords cannot be read
 */
export async function describeServer(
  cluster: Cluster,
  postmaster: Postmaster,
  launched?: Launched,
): Promise<LocalServer> {
  const [passwords, record] = await Promise.all([readPasswords(cluster), readRecord(cluster)]);
  const { pid, port } = postmaster;
  const url = (role: string, password: string, database: string): string =>
    `postgresql://${role}:${password}@${HOST}:${port}/${encodeName(database)}`;
  return {
    pid,
    host: HOST,
    port,
    major: cluster.major,
    version: record?.version ?? String(cluster.major),
    dataDirectory: cluster.data,
    logFile: cluster.logFile,
    adopted: !launched,
    adminUrl: (database) => url(ADMIN_ROLE, passwords.admin, database),
    superuserUrl: (database) => url(SUPERUSER_ROLE, passwords.superuser, database),
    stop: async () => {
      await stopPostmaster(postmaster);
      await launched?.release();
    },
  };
}

/** pg leaves %2F as it is, so that a slash must go unencoded; libpq takes it both ways. */
function encodeName(database: string): string {
  return encodeURI(database).replaceAll(/[?#]/g, encodeURIComponent);
}
