import type { Finding } from '../../../core/finding.js';
import type { Rule } from '../../../core/rule.js';
import { type Sql, sql } from '../../../pg/sql.js';
import { type CatalogRule, type RuleContext, foundIn } from '../catalog-rule.js';
import { type KeyShape, keyShape, remadeKey } from '../key-shape.js';
import { tenantTables } from '../tables.js';

interface Key {
  schema: string;
  table: string;
  name: string;
  /** Null when an expression is among them. */
  columns: (string | null)[];
  /** Is it one column that nobody guesses? */
  unguessable: boolean;
  shape: KeyShape;
}

export const uniqueWithoutTenant: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'unique-without-tenant',
    check: 'isolation',
    level: 'warning',
    summary:
      'A unique key of a pool’s table does not hold the tenant column: a tenant learns from the refusal which values others have, and cannot have them.',
    explanation:
      'Uniqueness is enforced over the rows of all tenants, hidden ones too, so a duplicate-key error tells that somebody has this value: an e-mail address, a tax number. It also keeps a tenant from moving into the pool with a value that is taken. A single uuid that the database draws is worth knowing only.',
    remedy: 'Let the key begin with the tenant column.',
    bad: 'create unique index customer_email_everywhere on customer (email);',
    good: 'create unique index customer_email_everywhere on customer (tenant_id, email);',
  },
  find(context) {
    return findKeys(context, this.rule, tenantTables(context));
  },
};

/** The unique keys of some tables that do not hold the tenant column. */
export async function findKeys(context: RuleContext, rule: Rule, tables: Sql): Promise<Finding[]> {
  const { column } = context.tenancy;
  const keys = await context.session.rows<Key>(sql`
      select t.schema, t.name as table, i.relname::text as name, ${keyShape(sql`x.indexrelid`, column)} as shape,
             array(select a.attname::text from unnest(x.indkey::int2[]) with ordinality u (attnum, n)
               left join pg_attribute a on a.attrelid = t.oid and a.attnum = u.attnum where u.n <= x.indnkeyatts order by u.n) as columns,
             x.indnkeyatts = 1 and exists (select from pg_attribute a where a.attrelid = t.oid and a.attnum = x.indkey[0]
               and a.atttypid = 'uuid'::regtype) as unguessable
        from ${tables} t join pg_index x on x.indrelid = t.oid join pg_class i on i.oid = x.indexrelid
       where not t.child and (x.indisunique or x.indisexclusion)
         and not exists (select from unnest(x.indkey::int2[]) with ordinality u (attnum, n) where u.attnum = t.attnum and u.n <= x.indnkeyatts)
       order by 1, 2, 3`);
  return keys.map((key) => {
    const { schema, table, name, columns, unguessable, shape } = key;
    const shown = columns.map((part) => part ?? 'an expression').join(', ');
    return foundIn(
      context,
      rule,
      `${schema}.${table}, key ${name}`,
      `key ${name} of ${schema}.${table} (${shown}) does not hold ${column}: a refused value tells a tenant that another one has it`,
      {
        level: unguessable ? 'info' : 'warning',
        sql: remadeKey(shape, column),
        facts: { columns, referenced: shape.referenced },
        ...hintFor(shape),
      },
    );
  });
}

function hintFor({ referenced, constraint, comparable, partitioned }: KeyShape): { hint?: string } {
  if (referenced) return { hint: 'Let the foreign keys that refer to it hold the tenant column first.' };
  if (constraint === 'x' && !comparable)
    return {
      hint: 'Let it compare the tenant column with = as well; extension btree_gist makes that possible in a GiST index.',
    };
  if (constraint !== null && (partitioned || constraint === 'x'))
    return { hint: 'Let the key begin with the tenant column. The table is held while the server makes it.' };
  return {};
}
