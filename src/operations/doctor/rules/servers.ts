import type { DoctorRule } from '../doctor-rule.js';

/** Servers, their limits and what leads to them. */
export const SERVER_RULES: readonly DoctorRule[] = [
  {
    name: 'pooled-admin',
    level: 'error',
    summary: 'an administrator’s URL that leads through a pooler',
    explanation:
      'A pooler that gives one backend to several clients loses locks and settings of sessions: two runs would work on one unit, and one tenant may be served with another’s. It is known by a process id that is not the backend’s, and proved with two clients, of which both get a lock that only one may have.',
    remedy:
      'Give the direct URL as `clusters.<name>.url`, and the pooler as `clusters.<name>.app: { host, port }`.',
    mends: null,
  },
  {
    name: 'app-endpoint',
    level: 'warning',
    summary: 'a place to which `route` sends applications, and where nobody answers',
    explanation:
      'The host and port of `clusters.<name>.app`, mostly a pooler’s, are asked whether PostgreSQL answers there; nobody logs in, as the login is the application’s, and what is set in a session behind a pooler would stay for its next client. Where only applications can reach the place, nothing is amiss.',
    remedy:
      'Check `clusters.<name>.app`, and that the pooler runs; the page on the doctor says how to prove the rest with the application’s login.',
    mends: null,
  },
  {
    name: 'server-version',
    level: 'error',
    summary: 'a server that is older than what this tool relies on',
    explanation:
      'PostgreSQL 15 to 18 are supported. A newer one is an info: nothing is known to be wrong with it.',
    remedy: 'Upgrade the server, or look for a newer tenantctl.',
    mends: null,
  },
  {
    name: 'connection-budget',
    level: 'warning',
    summary: 'a budget of connections that the server does not have',
    explanation:
      'With `maxConnections` of all clusters that are this server, and what others hold now, the server would be full: runs fail with 53300, and so do applications.',
    remedy: 'Lower `clusters.<name>.maxConnections`, or raise `max_connections` of the server.',
    mends: null,
  },
  {
    name: 'lock-table',
    level: 'warning',
    summary: 'a database that cannot be dumped, or a schema that cannot be dropped, for want of locks',
    explanation:
      'A dump locks every table of a database in one transaction, DROP SCHEMA every relation of a schema. Beyond `max_locks_per_transaction` × (`max_connections` + `max_prepared_transactions`) both fail with 53200: no backup, no deletion.',
    remedy: 'Raise `max_locks_per_transaction`, which needs a restart, or spread the tenants over databases.',
    mends: null,
  },
  {
    name: 'clocks-differ',
    level: 'error',
    summary: 'a server whose clock is not the catalog’s',
    explanation:
      'Deletions, grace periods and leases are reckoned by the catalog’s clock and asked for again by that of the home: they end too early or too late.',
    remedy: 'Set the clocks of both servers by NTP.',
    mends: null,
  },
  {
    name: 'audit-in-future',
    level: 'error',
    summary: 'an audit entry of a time that has not come',
    explanation: 'The catalog’s clock was set back, or the entry was not written by this tool.',
    remedy: 'Set the clock by NTP, and prove the log with `tenantctl audit verify`.',
    mends: null,
  },
  {
    name: 'local-state-old',
    level: 'info',
    summary: 'local state that an older version of this tool has made',
    explanation: 'The next command that works in that database upgrades it, in a transaction of its own.',
    remedy: 'Nothing has to be done; `tenantctl doctor --fix` does it now.',
    mends: 'upgrade the local state',
  },
  {
    name: 'local-state-newer',
    level: 'error',
    summary: 'local state that a newer version of this tool has made',
    explanation: 'This program does not know what the newer one relies on, and changes nothing there.',
    remedy: 'Upgrade this program.',
    mends: null,
  },
  {
    name: 'bare-setting-cast',
    level: 'error',
    summary: 'a policy that fails from a session’s second tenant on',
    explanation:
      "A setting that was used once reads `''` and not NULL for the rest of the session. A policy that casts it as it is then fails (22P02) for every statement in a pooled connection that has no tenant.",
    remedy:
      "Cast `nullif(current_setting(…, true), '')`, as the statement of the finding does; put it into a migration.",
    mends: null,
  },
  {
    name: 'not-inspected',
    level: 'error',
    summary: 'what could not be looked into',
    explanation:
      'A server is away, or does not let the administrator in, or refuses what a rule asks. Everything else is looked at and told; when nothing but such places is amiss, the exit code is 4 and not 8.',
    remedy: 'Mend the connection and run `tenantctl doctor` again.',
    mends: null,
  },
];
