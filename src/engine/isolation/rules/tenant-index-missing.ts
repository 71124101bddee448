import { ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { tenantTables } from '../tables.js';

export const tenantIndexMissing: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'tenant-index-missing',
    check: 'isolation',
    level: 'warning',
    summary:
      'No index of a pool’s table leads with the tenant column: every statement of a small tenant reads the rows of the large ones.',
    explanation:
      'Every statement is held to one tenant, so every index that does not begin with the tenant column is read across all of them. Moves, exports and deletions of one tenant read the whole table as well.',
    remedy: 'Make an index that begins with the tenant column, or let the primary key begin with it.',
    bad: `alter table document_counter drop constraint document_counter_pkey, add primary key (kind, tenant_id);`,
    good: `alter table document_counter drop constraint document_counter_pkey, add primary key (tenant_id, kind);`,
  },
  async find(context) {
    const { column } = context.tenancy;
    const tables = await context.session.rows<{ schema: string; name: string; kind: string }>(sql`
      select t.schema, t.name, t.kind from ${tenantTables(context)} t
       where not t.child and not exists (select from pg_index i where i.indrelid = t.oid and i.indkey[0] = t.attnum
               and i.indpred is null and i.indisvalid) order by 1, 2`);
    return tables.map(({ schema, name, kind }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `no index of ${schema}.${name} leads with ${column}: statements of one tenant read the rows of all`,
        {
          hint: 'Make the index in a migration of its own.',
          sql: [
            sql`create index ${raw(kind === 'p' ? '' : 'concurrently ')}on ${ident(schema, name)} (${ident(column)})`,
          ],
          facts: { column },
        },
      ),
    );
  },
};
