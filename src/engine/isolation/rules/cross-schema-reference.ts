import { type Sql, ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { withHomes } from '../roles.js';

interface Reference {
  schema: string;
  tenant: string;
  other: string;
  otherSchema: string;
  /** The catalog that the object is in, its table and its own name. */
  catalog: string;
  relation: string | null;
  name: string | null;
  object: string;
  target: string;
}

export const crossSchemaReference: CatalogRule = {
  home: 'schema',
  rule: {
    name: 'cross-schema-reference',
    check: 'isolation',
    level: 'error',
    summary:
      'An object in the schema of one tenant uses an object in the schema of another: a foreign key, view, default, trigger or function crosses over.',
    explanation:
      'A foreign key tells which rows the other tenant has, a view reads them with the rights of its owner, a default draws from its sequence. Neither tenant can be moved or deleted alone any more. It mostly comes from a migration that named a schema.',
    remedy: 'Let the object use the one of its own schema.',
    bad: 'create view t_acme.their_customers as select * from t_beta.customer;',
    good: 'create view t_acme.their_customers as select * from t_acme.customer;',
  },
  async find(context) {
    const references = await context.session.rows<Reference>(sql`
      ${withHomes(context)},
      place (oid, schema, tenant) as (select n.oid, n.nspname::text, h.tenant from home h join pg_namespace n on n.nspname = h.schema where not h.dedicated),
      object (catalog, oid, place, relation, name) as (
        select 'pg_class'::regclass::oid, c.oid, c.relnamespace, c.oid, null::name from pg_class c where c.relnamespace in (select oid from place)
        union all select 'pg_proc'::regclass, oid, pronamespace, null, null from pg_proc where pronamespace in (select oid from place)
        union all select 'pg_type'::regclass, oid, typnamespace, null, null from pg_type where typnamespace in (select oid from place)
        union all select 'pg_constraint'::regclass, oid, connamespace, conrelid, conname from pg_constraint where connamespace in (select oid from place)
        union all select 'pg_rewrite'::regclass, w.oid, c.relnamespace, c.oid, w.rulename from pg_rewrite w join pg_class c on c.oid = w.ev_class where c.relnamespace in (select oid from place)
        union all select 'pg_trigger'::regclass, g.oid, c.relnamespace, c.oid, g.tgname from pg_trigger g join pg_class c on c.oid = g.tgrelid where c.relnamespace in (select oid from place) and not g.tgisinternal
        union all select 'pg_attrdef'::regclass, d.oid, c.relnamespace, c.oid, a.attname from pg_attrdef d join pg_class c on c.oid = d.adrelid
          join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where c.relnamespace in (select oid from place)
        union all select 'pg_policy'::regclass, p.oid, c.relnamespace, c.oid, p.polname from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace in (select oid from place))
      select distinct o.schema, o.tenant, r.tenant as other, r.schema as "otherSchema", a.catalog::regclass::text as catalog,
             (select relname::text from pg_class where oid = a.relation) as relation, a.name::text as name,
             pg_describe_object(a.catalog, a.oid, 0) as object, pg_describe_object(b.catalog, b.oid, 0) as target
        from pg_depend d join object a on a.catalog = d.classid and a.oid = d.objid
        join object b on b.catalog = d.refclassid and b.oid = d.refobjid and b.place <> a.place
        join place o on o.oid = a.place join place r on r.oid = b.place
       where b.catalog <> 'pg_constraint'::regclass
       order by 1, 8, 9`);
    return once(references).map((reference) => {
      const { schema, tenant, other, otherSchema, object, target } = reference;
      return foundIn(
        context,
        this.rule,
        `${schema}, ${object}`,
        `${object} in schema ${schema} of tenant ${tenant} uses ${target} in schema ${otherSchema} of tenant ${other}`,
        { sql: removal(reference), facts: { tenant, other, object, target } },
      );
    });
  },
};

/** A view or key depends on the table and on each of its columns. */
function once(references: readonly Reference[]): Reference[] {
  return [...new Map(references.map((found) => [`${found.schema} ${found.object}`, found])).values()];
}

/** None for what rows or other objects may need. */
function removal({ catalog, schema, relation, name }: Reference): Sql[] {
  if (relation === null || name === null) return [];
  const [table, own] = [ident(schema, relation), ident(name)];
  if (catalog === 'pg_constraint') return [sql`alter table ${table} drop constraint ${own}`];
  if (catalog === 'pg_attrdef') return [sql`alter table ${table} alter column ${own} drop default`];
  if (catalog === 'pg_trigger') return [sql`drop trigger ${own} on ${table}`];
  if (catalog === 'pg_policy') return [sql`drop policy ${own} on ${table}`];
  if (catalog === 'pg_rewrite') return [sql`drop view ${table}`];
  return [];
}
