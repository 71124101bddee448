import type { Rule } from '../../core/rule.js';

export const notInspected: Rule = {
  name: 'not-inspected',
  check: 'isolation',
  level: 'error',
  summary:
    'A cluster or database of the catalog could not be looked into: nothing is known of its isolation.',
  explanation:
    'A server that is away, a database that is gone, or one that does not let the administrator in. A check that has not looked must not look like one that has found nothing.',
  remedy: 'Mend the connection and check again; `tenantctl doctor` tells what else is amiss there.',
  bad: 'alter database d_corp allow_connections false;',
  good: 'alter database d_corp allow_connections true;',
};
