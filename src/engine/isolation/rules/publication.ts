import { type Sql, ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { someOf } from '../statements.js';
import { poolSchemas } from '../tables.js';

interface Publication {
  name: string;
  tables: { schema: string; name: string }[];
  /** What was put into it: a table, of which these may be partitions, or a whole schema. */
  members: { schema: string; name: string | null }[];
  whole: boolean;
}

export const publication: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'publication',
    check: 'isolation',
    level: 'info',
    summary: 'A publication sends a table of a pool to subscribers: they get the rows of all tenants.',
    explanation:
      'Logical decoding knows no policies. A row filter of the publication is the only thing that holds tenants apart for a subscriber. It is worth knowing where copies are when a tenant is deleted.',
    remedy:
      'Give the publication a row filter, take the table out, or list the subscriber among your copies.',
    bad: 'create publication elsewhere for table customer;',
    good: 'create publication elsewhere for table currency;',
  },
  async find(context) {
    const publications = await context.session.rows<Publication>(sql`
      select p.pubname::text as name, bool_or(p.puballtables) as whole, json_agg(distinct jsonb_build_object('schema', n.nspname, 'name', c.relname)) as tables,
             json_agg(distinct coalesce(m.member, jsonb_build_object('schema', n.nspname, 'name', null))) as members
        from pg_publication p cross join lateral pg_get_publication_tables(p.pubname::text) g
        join pg_class c on c.oid = g.relid join pg_namespace n on n.oid = c.relnamespace
        left join lateral (select jsonb_build_object('schema', mn.nspname, 'name', mc.relname) as member from pg_publication_rel r
            join pg_class mc on mc.oid = r.prrelid join pg_namespace mn on mn.oid = mc.relnamespace
           where r.prpubid = p.oid and (mc.oid = c.oid or mc.oid in (select pg_partition_ancestors(c.oid)))) m on true
       where n.nspname = any (${poolSchemas(context)}::text[]) and g.qual is null
         and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = ${context.tenancy.column} and not a.attisdropped)
       group by 1 order by 1`);
    return publications.map(({ name, tables, members, whole }) => {
      const names = tables.map((table) => `${table.schema}.${table.name}`);
      return foundIn(
        context,
        this.rule,
        `publication ${name}`,
        `publication ${name} sends the rows of all tenants of ${someOf(names)} to whoever subscribes`,
        {
          sql: whole
            ? [sql`drop publication ${ident(name)}`]
            : members.map((member) => leftOut(name, member)),
          facts: { tables: names },
        },
      );
    });
  },
};

function leftOut(from: string, { schema, name }: Publication['members'][number]): Sql {
  return name === null
    ? sql`alter publication ${ident(from)} drop tables in schema ${ident(schema)}`
    : sql`alter publication ${ident(from)} drop table ${ident(schema, name)}`;
}
