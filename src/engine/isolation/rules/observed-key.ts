import type { CatalogRule } from '../catalog-rule.js';
import { observedTables } from '../tables.js';
import { findKeys } from './unique-without-tenant.js';

export const observedKey: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'observed-key',
    check: 'isolation',
    level: 'warning',
    summary:
      'A unique key of an observed table does not hold the tenant column: enforced, it would still tell tenants of each other.',
    explanation:
      'Row-level security hides rows, not what unique keys answer: a refused value says that somebody has it. What is unique over all tenants today may be meant so, as the login of a person is; then it may stay.',
    remedy:
      'Let the key begin with the tenant column, unless its values are meant to be unique among all tenants.',
    bad: 'create table observed_account (tenant_id uuid, email text unique);',
    good: 'create table observed_account (tenant_id uuid, email text, unique (tenant_id, email));',
  },
  find(context) {
    return findKeys(context, this.rule, observedTables(context));
  },
};
