import { type Sql, raw } from '../../pg/sql.js';
import { hash, hashedTables, summed } from './likeness-sql.js';
import { RELATION_COLUMNS } from './lines-sql.js';

/**
 * What has changed in each schema of `target t` since the last look at it (`tenantctl.look`), as two numbers. Schemas
 * that were alike then and have the same numbers are alike now:
 *
 * - `hashed` is a hash of whatever was written since, of a relation all of it: every catalog row knows the transaction
 *   that wrote it (`xmin`, which freezing keeps). That takes one scan of each catalog, whatever the number of schemas.
 * - `present` is a hash of the names of all there is: what is gone has left no row that would say so.
 */

/** How many transactions ago the oldest of the looks was. */
const OLDEST_LOOK = '(select age from oldest)';
const OLDEST = `
  select max(age(xid(horizon))) as age from tenantctl.look where schema in (select nsp from target)`;

/** Whether something of a schema was written since the look at that very schema: `age` is how many transactions ago. */
const sinceItsLook = (schema: string, age: string): string =>
  `${age} <= (select age(xid(horizon)) from tenantctl.look where schema = ${schema})`;

/** Catalogs whose rows belong to a relation. A check that goes, a default, NOT NULL: each changes a row that stays. */
const OF_RELATIONS: readonly [catalog: string, relation: string][] = [
  ['pg_class', 'oid'],
  ['pg_attribute', 'attrelid'],
  ['pg_attrdef', 'adrelid'],
  ['pg_constraint', 'conrelid'],
  ['pg_index', 'indrelid'],
  ['pg_trigger', 'tgrelid'],
  ['pg_policy', 'polrelid'],
  ['pg_rewrite', 'ev_class'],
  ['pg_inherits', 'inhrelid'],
  ['pg_partitioned_table', 'partrelid'],
  ['pg_sequence', 'seqrelid'],
];

/** By way of the few domains, as their catalog is large. Its index begins with the table, which a domain has not. */
const DOMAIN_CONSTRAINTS = `(
  select k.contypid, k.xmin from pg_type d
    cross join lateral (select contypid, xmin from pg_constraint where conrelid = 0 and contypid = d.oid offset 0) k where d.typtype = 'd') k`;

/** Those whose rows belong to another object of a schema, or are one. */
const OF_SCHEMAS: readonly [catalog: string, member: string, of: string][] = [
  ['pg_proc', 'oid', 'pg_proc'],
  ['pg_type', 'oid', 'pg_type'],
  ['pg_enum', 'enumtypid', 'pg_type'],
  [DOMAIN_CONSTRAINTS, 'contypid', 'pg_type'],
  ['pg_statistic_ext', 'oid', 'pg_statistic_ext'],
];

const writtenIn = (catalog: string, columns: string): string =>
  `select ${columns}, age(xmin) as age from ${catalog} where age(xmin) <= ${OLDEST_LOOK}`;

/** Relations that were written since the oldest of the looks, an index standing for its table, and when at last. */
const FRESH = `
  select coalesce(i.indrelid, w.relation) as relation, min(w.age) as age
    from (select relation, min(age) as age
            from (${OF_RELATIONS.map(([catalog, relation]) => writtenIn(catalog, `${relation} as relation`)).join('\n      union all ')}) one
           group by relation) w
    left join lateral (select indrelid from pg_index where indexrelid = w.relation offset 0) i on true
   group by 1`;

const CHANGED_RELATIONS = `
  select c.*
    from fresh f
    cross join lateral (
      select relnamespace as nsp, ${RELATION_COLUMNS} from pg_class c where c.oid = f.relation and c.relkind <> 't' offset 0) c
   where ${sinceItsLook('c.nsp', 'f.age')}`;

const CHANGED_MEMBERS = `
  select distinct home.nsp, w.catalog, w.id
    from (${OF_SCHEMAS.map(([catalog, member, of]) => writtenIn(catalog, `'${of}'::regclass::oid as catalog, ${member} as id`)).join('\n      union all ')}) w
    cross join lateral (
      select pronamespace as nsp from pg_proc where w.catalog = 'pg_proc'::regclass and oid = w.id
      union all select typnamespace from pg_type where w.catalog = 'pg_type'::regclass and oid = w.id
      union all select stxnamespace from pg_statistic_ext where w.catalog = 'pg_statistic_ext'::regclass and oid = w.id
      offset 0) home
   where ${sinceItsLook('home.nsp', 'w.age')}`;

/** The names of types that a function takes: a type of the schema's own has another number in each. */
const ARGUMENTS = `array(select case when a.type < 16384 then a.type::text else concat(nullif(ty.typnamespace, p.pronamespace), '.', ty.typname) end
  from unnest(p.proargtypes) with ordinality a (type, place) left join pg_type ty on ty.oid = a.type order by a.place)`;

const ofRelation = (kind: string, catalog: string, relation: string, name: string, which = 'true'): string =>
  `select c.relnamespace, ${hash(`'${kind}'::text, c.relname, p.${name}`)}
     from ${catalog} p cross join lateral (select relname, relnamespace from pg_class where oid = p.${relation} offset 0) c where ${which}`;

/**
 * What can go without a row that stays being written: an index is a relation, and so is what is behind a key. Of all
 * schemas of the database: to ask for some takes longer.
 */
const NAMES = [
  // By far the most: a hash of a record takes twice as long.
  `select relnamespace, hashnameextended(relname, hashcharextended(relkind, 0)) from pg_class where relkind <> 't'`,
  ofRelation('reference', 'pg_constraint', 'conrelid', 'conname', `p.contype = 'f'`),
  ofRelation(
    'trigger',
    'pg_trigger',
    'tgrelid',
    'tgname',
    "not p.tgisinternal and p.tgname not like 'tenantctl\\_%'",
  ),
  ofRelation('policy', 'pg_policy', 'polrelid', 'polname', "p.polname <> 'tenantctl_rescan'"),
  ofRelation('rule', 'pg_rewrite', 'ev_class', 'rulename'),
  ofRelation('parent', 'pg_inherits', 'inhrelid', 'inhseqno'),
  `select t.nsp, ${hash(`'function'::text, p.proname, ${ARGUMENTS}`)} from pg_proc p join target t on t.nsp = p.pronamespace`,
  `select typnamespace, ${hash(`'type'::text, typname`)} from pg_type where typtype in ('b', 'e', 'd', 'r', 'm') and typcategory <> 'A'`,
  `select ty.typnamespace, ${hash(`'domain'::text, ty.typname, k.conname`)} from pg_type ty
     cross join lateral (select conname from pg_constraint where conrelid = 0 and contypid = ty.oid offset 0) k where ty.typtype = 'd'`,
  `select stxnamespace, ${hash(`'statistics'::text, stxname`)} from pg_statistic_ext`,
  // No lines of their own, but others speak of them, by number: these know nothing of a new name.
  `select collnamespace, ${hash(`'collation'::text, collname`)} from pg_collation where oid >= 16384`,
  `select oprnamespace, ${hash(`'operator'::text, oprname`)} from pg_operator where oid >= 16384`,
  `select opcnamespace, ${hash(`'operator class'::text, opcname`)} from pg_opclass where oid >= 16384`,
  `select cfgnamespace, ${hash(`'text search configuration'::text, cfgname`)} from pg_ts_config where oid >= 16384`,
  `select dictnamespace, ${hash(`'text search dictionary'::text, dictname`)} from pg_ts_dict where oid >= 16384`,
];

/** Gives `hashed (nsp, hash)` and `present (nsp, hash)`; to be put after `target` as further common tables. */
export function changesTables(serverVersion: number): Sql {
  return raw(`oldest as materialized (${OLDEST}), fresh as materialized (${FRESH}),
  relations as materialized (${CHANGED_RELATIONS}), members as materialized (${CHANGED_MEMBERS}),
  ${hashedTables(serverVersion)}, present as (${summed(NAMES)})`);
}
