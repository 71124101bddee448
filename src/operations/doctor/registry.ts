import type { Finding } from '../../core/finding.js';

/** What the doctor looks for, for people. The names never change: scripts and alerts name them. */
export interface DoctorRule {
  name: string;
  /** Its gravest findings' level. */
  level: Finding['level'];
  summary: string;
  /** What `--fix` does about it where that is safe; null where a person decides. */
  mends: string | null;
}

function rule(
  name: string,
  level: Finding['level'],
  summary: string,
  mends: string | null = null,
): DoctorRule {
  return { name, level, summary, mends };
}

/** Every rule, as the reference lists them. */
export const DOCTOR_RULES: readonly DoctorRule[] = [
  // Catalog against homes.
  rule(
    'unknown-home',
    'error',
    'a home of a tenant that the catalog has never heard of',
    'remove the home that was begun and holds no row',
  ),
  rule('second-home', 'error', 'a home that serves a tenant whom the catalog places elsewhere'),
  rule(
    'missing-home',
    'error',
    'a tenant whom the catalog places where there is no home of it, or one whose role is gone',
  ),
  rule('missing-database', 'error', 'a database in which the catalog places tenants, and that is gone'),
  rule('home-differs', 'error', 'a home with another key, tier, role, unit or epoch than the catalog has'),
  rule(
    'description-differs',
    'warning',
    'a home with other labels, plan, owner or status than the catalog has',
    'write to the home what the catalog says',
  ),
  rule(
    'admission-differs',
    'error',
    'a home that refuses an active tenant, or serves one that is suspended or leaving',
    'close the home of a tenant that leaves',
  ),
  rule(
    'holds-differ',
    'error',
    'a legal hold that only one of catalog and home knows',
    'tell the home which holds stand',
  ),
  rule(
    'version-differs',
    'warning',
    'a version in the catalog that is not that of the ledger',
    'write the version of the ledger to the catalog',
  ),
  rule('ledger-missing', 'error', 'a migrated unit without a ledger'),
  rule(
    'ledger-without-home',
    'warning',
    'a ledger of a unit in which nobody lives',
    'take the rows of a schema that is gone out of the ledger',
  ),
  rule('unknown-cluster', 'error', 'tenants on a cluster that the configuration does not know'),
  rule('pool-elsewhere', 'error', 'a pool that the configuration does not know, or knows at another place'),
  // What nobody claims.
  rule('orphan-schema', 'warning', 'a schema named like a tenant’s that nobody knows'),
  rule('orphan-database', 'warning', 'a database named like a tenant’s that the catalog does not know'),
  rule(
    'orphan-role',
    'warning',
    'a role of a tenant that no home uses',
    'drop the role, which has rights on nothing',
  ),
  rule('half-made-template', 'info', 'a template of databases that was never finished', 'drop the template'),
  rule('replication-slot', 'warning', 'a replication slot that nobody reads'),
  // What was begun and stands still.
  rule('half-provisioned', 'warning', 'a tenant that was begun, at which nobody is at work'),
  rule('run-stuck', 'warning', 'a run that no process drives'),
  rule('move-stuck', 'warning', 'a move whose driver gives no sign of life'),
  rule(
    'move-leftovers',
    'error',
    'triggers, functions and marks of a move that is over',
    'remove what the move has left; no row of a tenant is touched',
  ),
  rule('stranded-home', 'error', 'a home that a move has left, although no move of its tenant is under way'),
  rule('silent-trigger', 'warning', 'a trigger that a move has silenced and not put back'),
  rule('offboarding-stuck', 'warning', 'an offboarding at which nobody is at work'),
  rule('deletion-stuck', 'warning', 'a deletion at which nobody is at work'),
  rule(
    'idle-session',
    'warning',
    'a session of this tool that keeps locks or a transaction, and does nothing',
  ),
  // Back from the dead.
  rule('deleted-tenant-is-back', 'error', 'a deleted tenant that a backup has brought back'),
  // Servers.
  rule('pooled-admin', 'error', 'an administrator’s URL that leads through a pooler'),
  rule('server-version', 'error', 'a server that is older than what this tool relies on'),
  rule('connection-budget', 'warning', 'a budget of connections that the server does not have'),
  rule(
    'lock-table',
    'warning',
    'a database that cannot be dumped, or a schema that cannot be dropped, for want of locks',
  ),
  rule('clocks-differ', 'error', 'a server whose clock is not the catalog’s'),
  rule('audit-in-future', 'error', 'an audit entry of a time that has not come'),
  rule(
    'local-state-old',
    'info',
    'local state that an older version of this tool has made',
    'upgrade the local state',
  ),
  rule('local-state-newer', 'error', 'local state that a newer version of this tool has made'),
  rule('bare-setting-cast', 'error', 'a policy that fails from a session’s second tenant on'),
  rule('not-inspected', 'error', 'what could not be looked into'),
];

/** What `--fix` does about the findings of a rule. */
export function mendingOf(name: string): string {
  return DOCTOR_RULES.find((each) => each.name === name)?.mends ?? 'mend it';
}
