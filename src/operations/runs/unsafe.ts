import { refusedError } from '../../core/errors.js';
import type { Finding } from '../../core/finding.js';
import type { Fleet } from '../../engine/context.js';
import type { Migration } from '../../engine/ledger/migration.js';
import type { SurveyedUnit } from '../../engine/waves/survey.js';
import { findingsOf } from '../check/migrations.js';

/**
 * What `check migrations` says of the files that a run is about to bring to units which are in use. A unit without a
 * ledger is in nobody's use yet.
 */
export function findingsOfPending(
  fleet: Fleet,
  migrations: readonly Migration[],
  surveyed: readonly SurveyedUnit[],
): Promise<Finding[]> {
  const used = surveyed.filter(
    ({ version, skip, fault }) => version !== null && skip === null && fault === null,
  );
  const pending = new Set(used.flatMap(({ pending: files }) => files.map(({ id }) => id)));
  return pending.size === 0 ? Promise.resolve([]) : findingsOf(fleet.settings, migrations, pending);
}

/** @throws refusal `MIGRATION_UNSAFE` (exit 6) that names every finding of level error with its place and remedy */
export function refuseUnsafe(findings: readonly Finding[]): void {
  const errors = findings.filter(({ level }) => level === 'error');
  if (errors.length === 0) return;
  const lines = errors.flatMap(({ rule, where, message, hint, facts }) => [
    `  ${where}:${facts.line}: ${rule}: ${message}`,
    `    ${hint}`,
  ]);
  throw refusedError(
    'MIGRATION_UNSAFE',
    ['Pending migrations would block or break applications:', ...lines].join('\n'),
    {
      hint: 'Nothing was changed. Write them the safe way; or, where it does no harm here, say so before the statement: `-- tenantctl: allow <rule> because <reason>`.',
      facts: { findings: errors },
    },
  );
}
