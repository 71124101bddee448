import type { CatalogRule } from '../catalog-rule.js';
import { findSequenceRights } from '../sequence-rights.js';

export const sharedSequence: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'shared-sequence',
    check: 'isolation',
    level: 'info',
    summary:
      'The application may read a sequence of a pool: it tells how many rows all tenants together have made.',
    explanation:
      'SELECT on a sequence shows its last number without drawing one. USAGE, which nextval needs, tells about as much by the gaps between two numbers, and cannot be avoided while tenants share a sequence; it is not reported.',
    remedy: 'Take SELECT on the sequence away; nextval and currval need USAGE only.',
    bad: 'grant select on sequence payment_reference_seq to app_user;',
    good: 'grant usage on sequence payment_reference_seq to app_user;',
  },
  find(context) {
    return findSequenceRights(
      context,
      this.rule,
      'SELECT',
      'read',
      'it tells how many rows all tenants together have made',
    );
  },
};
