import type { LintRule } from '../rule.js';

const BY_OTHER_RULES = /^(SET |RESET |DISCARD|COPY )/;

export const ownTransaction: LintRule = {
  name: 'own-transaction',
  check: 'migrations',
  level: 'error',
  down: true,
  final: true,
  summary: 'BEGIN, COMMIT, ROLLBACK or SAVEPOINT stands in the file; the transaction is not its own.',
  explanation:
    'The ledger row has to stand in the same transaction as the migration, so that a file is applied whole or not at all. `migrate` does not run such a file (exit 3), and it cannot be allowed.',
  remedy: 'Take the statement out; with `-- tenantctl: no-transaction` each statement stands by itself.',
  bad: 'begin;\nalter table invoice add column note text;\ncommit;',
  good: 'alter table invoice add column note text;',
  file: ({ script }) =>
    script.statements
      .filter(({ control }) => control !== null && !BY_OTHER_RULES.test(control))
      .map(({ start, control }) => ({
        at: start,
        message: `${control} would end or split the transaction that holds the ledger row.`,
      })),
};
