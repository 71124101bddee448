import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { remadeForeignKey } from '../remade-foreign-key.js';
import { endingOf } from '../statements.js';
import { tenantTables } from '../tables.js';

interface Key {
  schema: string;
  table: string;
  name: string;
  toSchema: string;
  toTable: string;
  columns: string[];
  toColumns: string[];
  /** Does a change of the row that is referred to change this one? */
  acts: boolean;
  /** Has the other table a key of the tenant column and these? */
  keyed: boolean;
  partitioned: boolean;
  parentPartitioned: boolean;
  /** What it does when the other row goes, and when it is checked. */
  ending: string;
}

export const foreignKeyWithoutTenant: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'foreign-key-without-tenant',
    check: 'isolation',
    level: 'warning',
    summary:
      'A foreign key between two tables of tenants leaves the tenant column out: a row may refer to a row of another tenant.',
    explanation:
      'Foreign keys are checked past row-level security. A tenant can refer to the hidden row of another, learns from the answer whether it is there, and keeps its owner from deleting it. With ON DELETE CASCADE or SET NULL the other tenant changes rows of this one, which is an error.',
    remedy: 'Let the foreign key hold the tenant column on both sides.',
    bad: `create unique index on product (id);
alter table reminder add column product_id bigint references product (id) on delete cascade;`,
    good: `alter table reminder add column product_id bigint,
  add foreign key (tenant_id, product_id) references product (tenant_id, id);`,
  },
  async find(context) {
    const { column } = context.tenancy;
    const keys = await context.session.rows<Key>(sql`
      with tenanted as ${tenantTables(context)}
      select t.schema, t.name as table, f.conname::text as name, r.schema as "toSchema", r.name as "toTable",
             array(select a.attname::text from unnest(f.conkey) with ordinality k (attnum, n)
               join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum order by k.n) as columns,
             array(select a.attname::text from unnest(f.confkey) with ordinality k (attnum, n)
               join pg_attribute a on a.attrelid = r.oid and a.attnum = k.attnum order by k.n) as "toColumns",
             f.confdeltype in ('c', 'n', 'd') or f.confupdtype in ('c', 'n', 'd') as acts, t.kind = 'p' as partitioned, r.kind = 'p' as "parentPartitioned",
             ${endingOf('f')} as ending,
             exists (select from pg_index i where i.indrelid = r.oid and i.indisunique and i.indpred is null
               and i.indkey::text = array_to_string(r.attnum || array_remove(f.confkey, r.attnum), ' ')) as keyed
        from pg_constraint f join tenanted t on t.oid = f.conrelid join tenanted r on r.oid = f.confrelid
       where f.contype = 'f' and f.conparentid = 0
         and not exists (select from unnest(f.conkey, f.confkey) k (own, other) where k.own = t.attnum and k.other = r.attnum)
       order by 1, 2, 3`);
    return keys.map((key) => {
      const { schema, table, name, toSchema, toTable, acts } = key;
      return foundIn(
        context,
        this.rule,
        `${schema}.${table}, foreign key ${name}`,
        `foreign key ${name} of ${schema}.${table} refers to ${toSchema}.${toTable} without ${column}: ${acts ? 'a tenant that deletes or changes its row changes rows of another' : 'a row may refer to that of another tenant, and the answer tells whether it is there'}`,
        {
          level: acts ? 'error' : 'warning',
          hint: 'Let it hold the tenant column. Rows that refer to another tenant stay until VALIDATE CONSTRAINT names them.',
          sql: remadeForeignKey({
            ...key,
            table: ident(schema, table),
            parent: ident(toSchema, toTable),
            referenced: key.toColumns,
            tenantColumn: column,
          }),
          facts: { acts },
        },
      );
    });
  },
};
