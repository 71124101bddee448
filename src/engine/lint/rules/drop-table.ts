import { partsOf } from '../../ledger/locks/tree.js';
import type { LintRule } from '../rule.js';

const KINDS: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'Table',
  OBJECT_VIEW: 'View',
  OBJECT_MATVIEW: 'Materialized view',
};

export const dropTable: LintRule = {
  name: 'drop-table',
  check: 'migrations',
  level: 'error',
  summary: 'A table or view is dropped while releases that still use it are running.',
  explanation:
    'The old release goes on until the rollout is over, and fails at the first statement that names it. The rows of a table are gone for good; in a pool, those of all tenants. In a file of the contract phase it is no finding.',
  remedy: 'Say `-- tenantctl: phase=contract`: the file then waits for `tenantctl migrate --contract`.',
  bad: 'drop table invoice;',
  good: '-- tenantctl: phase=contract\ndrop table invoice;',
  step: ({ kind, body, at, effects }, { script }) => {
    const what = KINDS[String(body['removeType'])];
    if (kind !== 'DropStmt' || what === undefined || script.directives.phase === 'contract') return [];
    return ((body['objects'] ?? []) as unknown[])
      .map((object) => partsOf(object).join('.'))
      .filter((name) => effects.some(({ relation }) => relation === name))
      .map((name) => ({
        at,
        message: `${what} ${name} is dropped outside the contract phase: a release that uses it fails.`,
      }));
  },
};
