import type { CatalogRule } from '../catalog-rule.js';
import { findSequenceRights } from '../sequence-rights.js';

export const sequenceRight: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'sequence-right',
    check: 'isolation',
    level: 'warning',
    summary:
      'The application may set a sequence that all tenants of a pool draw from: one tenant can make the inserts of the others fail.',
    explanation:
      'UPDATE on a sequence allows setval. Set back, it gives numbers that are taken, and every insert of every tenant meets a duplicate key.',
    remedy: 'Take UPDATE on the sequence away; nextval needs USAGE only.',
    bad: 'grant update on sequence payment_reference_seq to app_user;',
    good: 'grant usage on sequence payment_reference_seq to app_user;',
  },
  find(context) {
    return findSequenceRights(
      context,
      this.rule,
      'UPDATE',
      'set',
      'a tenant can set it back, and the inserts of all others fail',
    );
  },
};
