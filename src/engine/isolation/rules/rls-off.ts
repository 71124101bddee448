import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { poolSchemas, tablesElsewhere, tenantTables, withApplication } from '../tables.js';

interface Open {
  schema: string;
  name: string;
  /** Is it in the schema of a pool? */
  inside: boolean;
}

export const rlsOff: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'rls-off',
    check: 'isolation',
    level: 'error',
    summary:
      'A table of a pool has row-level security off: every tenant reads and writes the rows of all others.',
    explanation:
      'Policies count for nothing until row-level security is enabled on the table. A migration of this tool enables it, so it was turned off, or the table was made, by other hands. A table outside the schema of the pool that has the tenant column and that the application may use, an archive or a partition kept apart, is looked at as well.',
    remedy: 'Enable row-level security on the table.',
    bad: 'alter table reminder disable row level security;',
    good: 'alter table reminder enable row level security;',
  },
  async find(context) {
    const known = [...poolSchemas(context), ...context.homes.map(({ schema }) => schema)];
    const tables = await context.session.rows<Open>(sql`
      ${withApplication(context)}
      select schema, name, true as inside from ${tenantTables(context)} t where not rls and not child
      union all select schema, name, false from ${tablesElsewhere(context, known)} e where not rls order by 1, 2`);
    return tables.map(({ schema, name, inside }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        inside
          ? `row-level security is off on ${schema}.${name}: every tenant of the pool reaches the rows of all others`
          : `row-level security is off on ${schema}.${name}, which is no table of a pool and holds rows of tenants that the application may use: every tenant reaches those of all others`,
        {
          sql: [sql`alter table ${ident(schema, name)} enable row level security`],
          ...(!inside && { hint: ELSEWHERE }),
        },
      ),
    );
  },
};

const ELSEWHERE =
  'Take the right of the application away; or enable row-level security, which admits nobody until a policy does. Migrations of this tool make none outside pools.';
