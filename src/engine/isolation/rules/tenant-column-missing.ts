import { ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { isObserved, poolSchemas, tenantTables } from '../tables.js';

interface Table {
  schema: string;
  name: string;
  /** A column that looks as if it were the tenant column under another name. */
  alike: string | null;
  /** A table of tenants that it refers to. */
  parent: string | null;
}

export const tenantColumnMissing: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'tenant-column-missing',
    check: 'isolation',
    level: 'error',
    summary:
      'A table of a pool refers to rows of tenants and has no tenant column: nothing holds its rows to a tenant.',
    explanation:
      'A table without the tenant column counts as shared: the application reads all of it. One that refers to rows of tenants, or that names the tenant in a column of another name, holds data of tenants all the same.',
    remedy: 'Add the tenant column in a migration and fill it from the table that is referred to.',
    bad: `create table reminder_note (
  id bigint generated always as identity primary key, tenant_of uuid, reminder_id bigint, body text,
  foreign key (tenant_of, reminder_id) references reminder (tenant_id, id));`,
    good: `create table reminder_note (
  tenant_id uuid not null, id bigint generated always as identity, reminder_id bigint, body text,
  primary key (tenant_id, id),
  foreign key (tenant_id, reminder_id) references reminder (tenant_id, id));`,
  },
  async find(context) {
    const { column, columnType } = context.tenancy;
    const tables = await context.session.rows<Table>(sql`
      select * from (
        select n.nspname::text as schema, c.relname::text as name,
          (select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
              and lower(replace(a.attname, '_', '')) = lower(replace(${column}, '_', '')) limit 1) as alike,
          (select t.schema || '.' || t.name from pg_constraint f join ${tenantTables(context)} t on t.oid = f.confrelid
            where f.conrelid = c.oid and f.contype = 'f' order by 1 limit 1) as parent
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = any (${poolSchemas(context)}::text[]) and c.relkind in ('r', 'p') and not c.relispartition and not ${isObserved(context)}
           and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = ${column} and not a.attisdropped)
      ) t where alike is not null or parent is not null order by 1, 2`);
    return tables.map(({ schema, name, alike, parent }) => {
      const because = parent === null ? `its column ${alike ?? ''} names one` : `it refers to ${parent}`;
      const sqlStatement =
        alike === null
          ? sql`alter table ${ident(schema, name)} add column ${ident(column)} ${raw(columnType)}`
          : sql`alter table ${ident(schema, name)} rename column ${ident(alike)} to ${ident(column)}`;
      return foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${schema}.${name} has no column ${column}, and ${because}: the application reads the rows of all tenants`,
        { sql: [sqlStatement], facts: { column, parent, alike } },
      );
    });
  },
};
