import type { Finding } from '../../core/finding.js';
import type { Rule } from '../../core/rule.js';
import { MOST_MS } from './overtime.js';

export const notInspected: Rule = {
  name: 'not-inspected',
  check: 'isolation',
  level: 'error',
  summary: 'A cluster, a database or an object could not be looked into: nothing is known of its isolation.',
  explanation:
    'A server that is away, a database that is gone, or one that does not let the administrator in. A table, view or function is a warning: it may reach out of the database, where nothing can be taken back; its triggers hold locks for too long; or its policies ask who has logged in, which in a probe is the administrator. A check that has not looked must not look like one that has found nothing.',
  remedy: 'Mend the connection and check again; `tenantctl doctor` tells what else is amiss there.',
  bad: 'alter database d_corp allow_connections false;',
  good: 'alter database d_corp allow_connections true;',
};

/** A finding about an object that the probes leave alone, or cannot judge. */
function uninspected(where: string, why: string, hint: string): Finding {
  return {
    rule: notInspected.name,
    level: 'warning',
    where,
    message: `Not inspected: ${why}.`,
    hint,
    facts: { reason: why },
  };
}

/** It may reach out of the database by this way. */
export function reachesOutFinding(where: string, way: string): Finding {
  return uninspected(
    where,
    `it may reach out of the database (${way})`,
    'Nothing was woken that a rollback does not take back. Look yourself whether tenants are kept apart there, and put the finding into the baseline.',
  );
}

/** What it shows depends on who has logged in. */
export function asksLoginFinding(where: string, way: string): Finding {
  return uninspected(
    where,
    `it depends on the session's login (${way}), and that of a probe is the administrator's`,
    "Let policies ask for the role (current_user) or the setting, or try it with a login of the application's and put the finding into the baseline.",
  );
}

export const TOO_LONG = `its attempts took more than ${MOST_MS / 1_000} s and were ended, so that nobody waits longer for their locks`;

export function overtimeFinding(where: string): Finding {
  return uninspected(
    where,
    TOO_LONG,
    'Look at its triggers, and at what holds the locks that they wait for; then check again.',
  );
}
