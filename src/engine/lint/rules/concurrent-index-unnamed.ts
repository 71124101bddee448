import type { LintRule } from '../rule.js';

export const concurrentIndexUnnamed: LintRule = {
  name: 'concurrent-index-unnamed',
  check: 'migrations',
  level: 'error',
  final: true,
  summary:
    'An index that is built CONCURRENTLY has no name, so that an interrupted build could not be found again.',
  explanation:
    'The server would make up a name, and another one for the next try. `migrate` does not run it (exit 3).',
  remedy: 'Write CREATE INDEX CONCURRENTLY <name> ON ….',
  bad: '-- tenantctl: no-transaction\ncreate index concurrently on invoice (tenant_id, customer_id);',
  good: '-- tenantctl: no-transaction\ncreate index concurrently invoice_customer_idx on invoice (tenant_id, customer_id);',
  file: ({ script }) =>
    script.statements
      .filter(({ concurrentIndex }) => concurrentIndex === '')
      .map(({ start }) => ({
        at: start,
        message: 'An interrupted build of this index could not be found again.',
      })),
};
