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

/** How many transactions ago each schema was looked at. */
const SINCE = `
  select t.nsp, age(xid(l.horizon)) as age from target t join tenantctl.look l on l.schema = t.nsp`;

const OLDEST_LOOK = '(select max(age) from since)';

/** All relations of the schemas with their indexes, by one scan. */
const EVERY = `
  select c.oid, t.nsp, c.relname, c.relkind, age(c.xmin) as age
    from pg_class c join target t on t.nsp = c.relnamespace where c.relkind <> 't'`;

/** Catalogs whose rows belong to a relation. A check that goes, a default, NOT NULL: each changes a row that stays. */
const OF_RELATIONS: readonly [catalog: string, relation: string][] = [
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

/** By way of the few domains, as their catalog is large. */
const DOMAIN_CONSTRAINTS = `(
  select k.contypid, k.xmin from pg_type d
    cross join lateral (select contypid, xmin from pg_constraint where contypid = d.oid offset 0) k where d.typtype = 'd') k`;

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
    from (select oid as relation, age from every where age <= ${OLDEST_LOOK}
      union all ${OF_RELATIONS.map(([catalog, relation]) => writtenIn(catalog, `${relation} as relation`)).join('\n      union all ')}) w
    left join lateral (select indrelid from pg_index where indexrelid = w.relation offset 0) i on true
   group by 1`;

const CHANGED_RELATIONS = `
  select e.nsp, c.*
    from fresh f join every e on e.oid = f.relation join since s on s.nsp = e.nsp and f.age <= s.age
    cross join lateral (select ${RELATION_COLUMNS} from pg_class c where c.oid = e.oid offset 0) c`;

const CHANGED_MEMBERS = `
  select distinct s.nsp, w.catalog, w.id
    from (${OF_SCHEMAS.map(([catalog, member, of]) => writtenIn(catalog, `'${of}'::regclass::oid as catalog, ${member} as id`)).join('\n      union all ')}) w
    cross join lateral (
      select pronamespace as nsp from pg_proc where w.catalog = 'pg_proc'::regclass and oid = w.id
      union all select typnamespace from pg_type where w.catalog = 'pg_type'::regclass and oid = w.id
      union all select stxnamespace from pg_statistic_ext where w.catalog = 'pg_statistic_ext'::regclass and oid = w.id
      offset 0) home
    join since s on s.nsp = home.nsp and w.age <= s.age`;

/** The names of types that a function takes: a type of the schema's own has another number in each. */
const ARGUMENTS = `array(select case when a.type < 16384 then a.type::text else ty.typname::text end
  from unnest(p.proargtypes) with ordinality a (type, place) left join pg_type ty on ty.oid = a.type order by a.place)`;

/** What can go without a row that stays being written: an index is a relation, and so is what is behind a key. */
const NAMES = [
  `select nsp, ${hash(`'relation'::text, relname, relkind`)} from every`,
  `select e.nsp, ${hash(`'reference'::text, e.relname, k.conname`)} from pg_constraint k join every e on e.oid = k.conrelid where k.contype = 'f'`,
  `select e.nsp, ${hash(`'trigger'::text, e.relname, g.tgname`)} from pg_trigger g join every e on e.oid = g.tgrelid where not g.tgisinternal`,
  `select e.nsp, ${hash(`'policy'::text, e.relname, p.polname`)} from pg_policy p join every e on e.oid = p.polrelid`,
  `select e.nsp, ${hash(`'rule'::text, e.relname, r.rulename`)} from pg_rewrite r join every e on e.oid = r.ev_class`,
  `select e.nsp, ${hash(`'parent'::text, e.relname, i.inhseqno`)} from pg_inherits i join every e on e.oid = i.inhrelid`,
  `select t.nsp, ${hash(`'function'::text, p.proname, ${ARGUMENTS}`)} from pg_proc p join target t on t.nsp = p.pronamespace`,
  `select t.nsp, ${hash(`'type'::text, ty.typname`)} from pg_type ty join target t on t.nsp = ty.typnamespace where ty.typtype in ('e', 'd', 'r')`,
  `select t.nsp, ${hash(`'domain'::text, ty.typname, k.conname`)} from pg_type ty join target t on t.nsp = ty.typnamespace
     cross join lateral (select conname from pg_constraint where contypid = ty.oid offset 0) k where ty.typtype = 'd'`,
  `select t.nsp, ${hash(`'statistics'::text, s.stxname`)} from pg_statistic_ext s join target t on t.nsp = s.stxnamespace`,
];

/** Gives `hashed (nsp, hash)` and `present (nsp, hash)`; to be put after `target` as further common tables. */
export function changesTables(serverVersion: number): Sql {
  return raw(`since as materialized (${SINCE}), every as materialized (${EVERY}), fresh as materialized (${FRESH}),
  relations as materialized (${CHANGED_RELATIONS}), members as materialized (${CHANGED_MEMBERS}),
  ${hashedTables(serverVersion)}, present as (${summed(NAMES)})`);
}
