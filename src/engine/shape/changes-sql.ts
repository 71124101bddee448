import { type Sql, raw } from '../../pg/sql.js';
import { hash, hashedTables, summed } from './likeness-sql.js';
import { PRINTED_OF_SCHEMAS, RELATIONS } from './lines-sql.js';

/**
 * What has changed in each schema of `target t` since the last look at it (`tenantctl.look`), as two numbers. Schemas
 * that were alike then and have the same numbers are alike now:
 *
 * - `hashed` is a hash of whatever was written since, of a relation all of it: every catalog row knows the transaction that
 *   wrote it (`xmin`, which freezing keeps). That takes one scan of each catalog, whatever the number of schemas.
 * - `present` is a hash of the names of all there is: what is gone has left no row that would say so.
 */

/** Rows by which a relation may have changed. A check that goes, a default, NOT NULL: each changes another row of its table. */
const WRITTEN: readonly [catalog: string, relation: string][] = [
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

/** How many transactions ago each schema was looked at. */
const SINCE = `
  select t.nsp, age(xid(l.horizon)) as age from target t join tenantctl.look l on l.schema = t.nsp`;

/** Relations that were written since the oldest of these looks, an index standing for its table, and when at last. */
const FRESH = `
  select coalesce(i.indrelid, f.relation) as relation, min(f.age) as age
    from (${WRITTEN.map(
      ([catalog, relation]) =>
        `select ${relation} as relation, age(xmin) as age from ${catalog} where age(xmin) <= (select max(age) from since)`,
    ).join('\n      union all ')}) f
    left join pg_index i on i.indexrelid = f.relation
   group by 1`;

const CHANGED = `
  select e.* from every e join since s on s.nsp = e.nsp join fresh f on f.relation = e.oid where f.age <= s.age`;

const changedOf = (part: string): string =>
  `select p.* from (${part}) p join since s on s.nsp = p.nsp where p.age <= s.age`;

/** The names of types that a function takes: a type of the schema's own has another number in each. */
const ARGUMENTS = `array(select case when a.type < 16384 then a.type::text else ty.typname::text end
  from unnest(p.proargtypes) with ordinality a (type, place) left join pg_type ty on ty.oid = a.type order by a.place)`;

/** What can go without another row being written: an index is a relation, and so is what is behind a key. */
const NAMES = [
  `select nsp, ${hash(`'relation'::text, relname, relkind`)} from every`,
  `select e.nsp, ${hash(`'reference'::text, e.relname, k.conname`)} from pg_constraint k join every e on e.oid = k.conrelid where k.contype = 'f'`,
  `select e.nsp, ${hash(`'trigger'::text, e.relname, g.tgname`)} from pg_trigger g join every e on e.oid = g.tgrelid where not g.tgisinternal`,
  `select e.nsp, ${hash(`'policy'::text, e.relname, p.polname`)} from pg_policy p join every e on e.oid = p.polrelid`,
  `select e.nsp, ${hash(`'rule'::text, e.relname, r.rulename`)} from pg_rewrite r join every e on e.oid = r.ev_class`,
  `select e.nsp, ${hash(`'parent'::text, e.relname, i.inhseqno`)} from pg_inherits i join every e on e.oid = i.inhrelid`,
  `select t.nsp, ${hash(`'function'::text, p.proname, ${ARGUMENTS}`)} from pg_proc p join target t on t.nsp = p.pronamespace`,
  `select t.nsp, ${hash(`'type'::text, ty.typname`)} from pg_type ty join target t on t.nsp = ty.typnamespace where ty.typtype in ('e', 'd', 'r')`,
  `select t.nsp, ${hash(`'domain'::text, ty.typname, k.conname`)} from pg_constraint k join pg_type ty on ty.oid = k.contypid
     join target t on t.nsp = ty.typnamespace where k.contypid <> 0`,
  `select t.nsp, ${hash(`'statistics'::text, s.stxname`)} from pg_statistic_ext s join target t on t.nsp = s.stxnamespace`,
];

/** Gives `hashed (nsp, hash)` and `present (nsp, hash)`; to be put after `target` as further common tables. */
export function changesTables(serverVersion: number): Sql {
  return raw(`since as materialized (${SINCE}), every as materialized (${RELATIONS}), fresh as materialized (${FRESH}),
  relations as materialized (${CHANGED}), ${hashedTables(serverVersion, PRINTED_OF_SCHEMAS.map(changedOf))},
  present as (${summed(NAMES)})`);
}
