import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { tenantTables } from '../tables.js';

export const rlsOff: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'rls-off',
    check: 'isolation',
    level: 'error',
    summary:
      'A table of a pool has row-level security off: every tenant reads and writes the rows of all others.',
    explanation:
      'Policies count for nothing until row-level security is enabled on the table. A migration of this tool enables it, so it was turned off, or the table was made, by other hands.',
    remedy: 'Enable row-level security on the table.',
    bad: 'alter table reminder disable row level security;',
    good: 'alter table reminder enable row level security;',
  },
  async find(context) {
    const tables = await context.session.rows<{ schema: string; name: string }>(
      sql`select schema, name from ${tenantTables(context)} t where not rls and not child order by 1, 2`,
    );
    return tables.map(({ schema, name }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `row-level security is off on ${schema}.${name}: every tenant of the pool reaches the rows of all others`,
        { sql: [sql`alter table ${ident(schema, name)} enable row level security`] },
      ),
    );
  },
};
