import type { LintRule } from '../rule.js';

export const concurrentlyIfNotExists: LintRule = {
  name: 'concurrently-if-not-exists',
  check: 'migrations',
  level: 'warning',
  down: true,
  summary: 'IF NOT EXISTS takes the invalid index of a failed build for the real one.',
  explanation:
    'A build that failed leaves an INVALID index, which enforces and speeds up nothing. Run again with IF NOT EXISTS, psql and most tools report success. `tenantctl` looks at the index itself, drops an invalid one and builds it again, so the words only mislead whoever runs the file by other means.',
  remedy: 'Leave IF NOT EXISTS out: an interrupted build is found and repeated by itself.',
  bad: '-- tenantctl: no-transaction\ncreate index concurrently if not exists invoice_customer_idx on invoice (tenant_id, customer_id);',
  good: '-- tenantctl: no-transaction\ncreate index concurrently invoice_customer_idx on invoice (tenant_id, customer_id);',
  file: ({ script }) =>
    script.statements
      .filter(({ concurrentIndex, body }) => concurrentIndex !== null && body['if_not_exists'] === true)
      .map(({ start, concurrentIndex }) => ({
        at: start,
        message: `IF NOT EXISTS would take an invalid ${concurrentIndex}, left by a failed build, for a good one.`,
      })),
};
