import { type Sql, ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { tenantTables } from '../tables.js';

interface Table {
  schema: string;
  name: string;
  type: string;
  wanted: string;
  /** Policies that depend on the column, and the condition of the one that takes their place. */
  policies: string[];
  /** Those that this one could not stand for: restrictive ones, and those for some roles or commands alone. */
  special: string[];
  condition: string;
}

export const tenantColumnType: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'tenant-column-type',
    check: 'isolation',
    level: 'warning',
    summary:
      'The tenant column has another type than tenancy.columnType: one key has several spellings there, and joins on it cast.',
    explanation:
      'A uuid kept as text is another value in capitals, and then another tenant. A foreign key between two types cannot be made, and an index on one type does not serve a comparison with the other.',
    remedy: 'Change the type of the column in a migration, or configure the type that your tables have.',
    bad: `create table legacy_note (
  tenant_id text not null default nullif(current_setting('app.tenant_id', true), ''), id bigint, primary key (tenant_id, id));
alter table legacy_note enable row level security;
alter table legacy_note force row level security;
create policy own on legacy_note using (tenant_id = nullif(current_setting('app.tenant_id', true), ''));`,
    good: `create table legacy_note (
  tenant_id uuid not null default nullif(current_setting('app.tenant_id', true), '')::uuid, id bigint, primary key (tenant_id, id));
alter table legacy_note enable row level security;
alter table legacy_note force row level security;
create policy own on legacy_note using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
  },
  async find(context) {
    const { column, columnType, setting } = context.tenancy;
    const tables = await context.session.rows<Table>(sql`
      select t.schema, t.name, t.type, w.type as wanted, array(select p.polname::text from pg_policy p where p.polrelid = t.oid and p.polname <> 'tenantctl_fleet') as policies,
             array(select p.polname::text from pg_policy p where p.polrelid = t.oid and p.polname <> 'tenantctl_fleet'
               and not (p.polpermissive and p.polcmd = '*' and p.polroles = '{0}') order by 1) as special,
             tenantctl.tenant_condition(${column}, w.type, ${setting}, t.schema) as condition
        from ${tenantTables(context)} t cross join (select format_type(${columnType}::regtype, null) as type) w
       where not t.child and t.atttypid <> ${columnType}::regtype
         and t.atttypid not in (select oid from pg_type where typbasetype = ${columnType}::regtype) order by 1, 2`);
    return tables.map((table) => {
      const { schema, name, type, wanted, special } = table;
      return foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${column} of ${schema}.${name} is ${type}, not ${wanted}: keys that are the same tenant elsewhere may differ there`,
        {
          hint: `Change the type in a migration: it rewrites the table under an exclusive lock, and its policies are made again${special.length === 0 ? '' : `, ${special.join(', ')} among them, which only you can write`}.`,
          // A policy that narrows must not get lost on the way.
          sql: special.length === 0 ? retyped(table, column, setting) : [],
          facts: { column, type, wanted },
        },
      );
    });
  },
};

/** Policies depend on the column, so they go first. */
function retyped(
  { schema, name, wanted, policies, condition }: Table,
  column: string,
  setting: string,
): Sql[] {
  const [table, key, type] = [ident(schema, name), ident(column), raw(wanted)];
  const meant = raw(condition);
  return [
    ...policies.map((policy) => sql`drop policy ${ident(policy)} on ${table}`),
    sql`alter table ${table} alter column ${key} drop default`,
    sql`alter table ${table} alter column ${key} type ${type} using ${key}::${type}`,
    sql`alter table ${table} alter column ${key} set default nullif(current_setting(${setting}, true), '')::${type}`,
    sql`create policy tenantctl_tenant on ${table} using (${meant}) with check (${meant})`,
  ];
}
