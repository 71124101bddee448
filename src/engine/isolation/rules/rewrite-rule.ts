import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { poolSchemas } from '../tables.js';

interface Rewrite {
  schema: string;
  table: string;
  name: string;
  definition: string;
}

export const rewriteRule: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'rewrite-rule',
    check: 'isolation',
    level: 'warning',
    summary:
      'A rule on a table or view of a pool rewrites statements of the application into others, with the rights of the owner.',
    explanation:
      'What a rule adds is done with the rights of the owner of the table, on any table: rows of one tenant can land where all read them, and a DELETE can keep rows that a deletion must remove.',
    remedy: 'Write a trigger with the rights of the session instead, and drop the rule.',
    bad: `create table reminder_copy (tenant_of uuid, id bigint);
create rule copy as on insert to reminder do also insert into reminder_copy values (new.tenant_id, new.id);`,
    good: `create table reminder_copy (tenant_of uuid, id bigint);`,
  },
  async find(context) {
    const rules = await context.session.rows<Rewrite>(sql`
      select n.nspname::text as schema, c.relname::text as table, w.rulename::text as name, pg_get_ruledef(w.oid) as definition
        from pg_rewrite w join pg_class c on c.oid = w.ev_class join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = any (${poolSchemas(context)}::text[]) and w.rulename <> '_RETURN' order by 1, 2, 3`);
    return rules.map(({ schema, table, name, definition }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${table}, rule ${name}`,
        `rule ${name} on ${schema}.${table} does more than the statement says, with the rights of the owner: ${definition}`,
        { sql: [sql`drop rule ${ident(name)} on ${ident(schema, table)}`], facts: { definition } },
      ),
    );
  },
};
