import { type Sql, raw } from '../../pg/sql.js';
import { CONTENT_TABLES, PRINTED_PARTS } from './lines-sql.js';

/**
 * A cheap number for each schema of `target t`: schemas of one database with the same number have the same
 * lines (but for strings that hold the name of the very schema they are in), so that only one of them must be
 * printed. The reverse does not hold: a dropped column, for one, changes the number and not the lines; so does, before
 * PostgreSQL 17, another length of the message that made an expression.
 *
 * It is a sum of hashes of catalog rows, all of them found by an index (see `CONTENT_TABLES`); nothing is sorted,
 * nothing sent. Objects of the schema itself stand in by name, others by number, as all schemas of a database
 * share them. Printing is what costs, as it opens relations and fills the caches of the session: only what
 * speaks of objects by number (views, functions, a few expressions) is printed.
 */

/**
 * Mixed once more: the server adds up the hashes of a record's fields, so that of a sum of records one could not tell in
 * which of them a value stands.
 */
export const hash = (values: string): string =>
  `hashtextextended(hash_record_extended(row(${values}), 0)::text, 0)`;

/** The namespace of something, when it is not the schema's own. */
const elsewhere = (namespace: string): string =>
  `case when ${namespace} = c.nsp then 0::oid else ${namespace} end`;

/** A printed text with one mark wherever the schema's own name stands: cheaper than a pattern, and enough to compare. */
const marked = (text: string): string =>
  `replace(replace(replace(${text}, 'search_path TO ' || t.path, chr(2)), t.name || '.', chr(1)), t.inside || '.', chr(1))`;

const TABLE_KINDS = `c.relkind in ('r', 'p', 'f', 'c')`;

const COLUMNS = `
  select c.nsp, (select sum(${hash(`'column'::text, c.relname, a.attnum, a.attname,
        case when a.atttypid < 16384 then a.atttypid::text::name else ty.typname end, ${elsewhere('ty.typnamespace')},
        a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated, a.attcollation`)})
      from pg_attribute a
      left join lateral (select typname, typnamespace from pg_type where oid = a.atttypid and a.atttypid >= 16384 offset 0) ty on true
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
    from relations c where ${TABLE_KINDS}`;

const TABLES = `
  select c.nsp, ${hash(`'table'::text, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
      c.relispartition, c.relpartbound::text, k.partstrat, k.partattrs::int2[], k.partclass::oid[], k.partcollation::oid[], k.partexprs::text`)}
    from relations c left join pg_partitioned_table k on k.partrelid = c.oid
   where ${TABLE_KINDS}`;

const PARENTS = `
  select c.nsp, ${hash(`'parent'::text, c.relname, p.relname, ${elsewhere('p.relnamespace')}, i.inhseqno`)}
    from pg_inherits i join relations c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
   where c.relkind in ('r', 'p', 'f')`;

const CONSTRAINTS = (since18: string): string => `
  select c.nsp, (select sum(${hash(`'constraint'::text, k.conname, c.relname, k.contype, k.condeferrable, k.condeferred, k.convalidated, k.connoinherit, k.conkey,
        f.relname, ${elsewhere('f.relnamespace')}, k.confkey, k.confupdtype, k.confdeltype, k.confmatchtype, k.confdelsetcols, k.conexclop${since18}`)})
      from pg_constraint k
      left join lateral (select relname, relnamespace from pg_class where oid = k.confrelid and k.confrelid <> 0 offset 0) f on true
     where k.conrelid = c.oid and k.contype not in ('n', 't'))
    from relations c where ${TABLE_KINDS}`;

/** Those of operator classes; a B-tree has none. */
const OPTIONS_OF_KEYS = `case when x.relam <> 403 then (
        select array_agg(attoptions::text order by attnum) from pg_attribute where attrelid = i.indexrelid) end`;

const INDEXES = `
  select c.nsp, (select sum(${hash(`'index'::text, x.relname, c.relname, x.relam, i.indnkeyatts, i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[],
        i.indoption::int2[], i.indisunique, i.indnullsnotdistinct, i.indisprimary, i.indimmediate, i.indisvalid, x.reloptions, ${OPTIONS_OF_KEYS}`)})
      from pg_index i
      cross join lateral (select relname, relam, reloptions from pg_class where oid = i.indexrelid offset 0) x
     where i.indrelid = c.oid)
    from relations c where c.relkind in ('r', 'p', 'm')`;

const TRIGGERS = `
  select c.nsp, (select sum(${hash(`'trigger'::text, g.tgname, c.relname, g.tgenabled, g.tgtype, g.tgattr::int2[], g.tgargs, p.proname, ${elsewhere('p.pronamespace')},
        g.tgoldtable, g.tgnewtable, ${marked('case when g.tgqual is not null or g.tgconstraint <> 0 then pg_get_triggerdef(g.oid) end')}`)})
      from pg_trigger g
      cross join lateral (select proname, pronamespace from pg_proc where oid = g.tgfoid offset 0) p
     where g.tgrelid = c.oid and not g.tgisinternal and g.tgname not like 'tenantctl\\_%')
    from relations c join target t on t.nsp = c.nsp where c.relkind in ('r', 'p', 'v', 'f')`;

const SEQUENCES = `
  select c.nsp, ${hash(`'sequence'::text, c.relname, s.seqtypid, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle`)}
    from relations c join pg_sequence s on s.seqrelid = c.oid`;

/** Defaults, checks, keys and conditions of indexes: where each stands, and a hash of it. Policies speak of their owner and are printed. */
const EXPRESSIONS = `
  select c.nsp, c.oid as relation, 'd'::"char" as kind, x.id, ${hash(`'default'::text, c.relname, x.adnum`)} as place, x.tree
    from relations c
    cross join lateral (select oid as id, adnum, hashtextextended(adbin::text, 0) as tree from pg_attrdef where adrelid = c.oid offset 0) x
   where ${TABLE_KINDS}
  union all
  select c.nsp, c.oid, 'c', x.id, ${hash(`'check'::text, c.relname, x.conname`)}, x.tree
    from relations c
    cross join lateral (select oid as id, conname, hashtextextended(conbin::text, 0) as tree from pg_constraint
      where conrelid = c.oid and conbin is not null offset 0) x
   where ${TABLE_KINDS}
  union all
  select c.nsp, c.oid, x.kind, x.id, ${hash(`'key'::text, x.relname, x.kind`)}, x.tree
    from relations c
    cross join lateral (
      select i.indexrelid as id, r.relname, e.kind, hashtextextended(e.tree::text, 0) as tree
        from pg_index i join pg_class r on r.oid = i.indexrelid
        cross join lateral (values ('i'::"char", i.indexprs), ('w', i.indpred)) e (kind, tree)
       where i.indrelid = c.oid and (i.indexprs is not null or i.indpred is not null) and e.tree is not null offset 0) x
   where c.relkind in ('r', 'p', 'm')`;

const treeOf = (e: string): string => `case ${e}.kind
    when 'd' then (select adbin from pg_attrdef where oid = ${e}.id) when 'c' then (select conbin from pg_constraint where oid = ${e}.id)
    when 'i' then (select indexprs from pg_index where indexrelid = ${e}.id) else (select indpred from pg_index where indexrelid = ${e}.id) end`;

/** What is left of a tree when the lengths and precisions of types, large numbers as well, are taken out. */
const withoutTypmods = (tree: string): string => `regexp_replace(${tree}, 'typmod -?[0-9]+', '', 'g')`;

/** Names an object by its number: one that is not built in, or a constant of an object type such as `'s'::regclass`. */
const NAMES_OBJECTS = `'[1-9][0-9]{4}|consttype (?:24|220[2-6]|3734|3769|4089|4096|4191) '`;

/** Expressions that mean the same wherever they stand. One that stands alone is printed, whatever it holds. */
const COMMON = `
  select e.kind, e.tree from (select kind, tree, min(id) as id from expressions group by kind, tree having count(*) > 1) e
   where not coalesce(${withoutTypmods(`(${treeOf('e')})::text`)} ~ ${NAMES_OBJECTS}, false)`;

/** An expression without columns needs no relation to be opened. */
const PRINTED_EXPRESSION = `pg_get_expr(x.tree, case when strpos(x.tree::text, '{VAR ') > 0 then e.relation else 0 end)`;

const COMPARED_EXPRESSIONS = `
  select e.nsp, ${hash('e.place, e.tree')} from expressions e join common c on c.kind = e.kind and c.tree = e.tree`;

const PRINTED_EXPRESSIONS = `
  select e.nsp, ${hash(`e.place, ${marked(PRINTED_EXPRESSION)}`)}
    from (select e.* from expressions e left join common c on c.kind = e.kind and c.tree = e.tree where c.tree is null and e.tree is not null) e
    join target t using (nsp) cross join lateral (select ${treeOf('e')} as tree offset 0) x`;

const printed = (part: string): string =>
  `select t.nsp, ${hash(`p.kind, ${marked('p.name')}, ${marked('p.definition')}`)} from (${part}) p join target t on t.nsp = p.nsp`;

/** The sum of the hashes that each part gives with `nsp`. */
export const summed = (parts: readonly string[]): string =>
  `select nsp, sum(hash)::text as hash from (${parts
    .map((part) => `select nsp, sum(hash) as hash from (${part}) one (nsp, hash) group by nsp`)
    .join('\nunion all\n')}) part group by nsp`;

/**
 * A hash of everything in `members` and `relations`, for each schema: `hashed (nsp, hash)`. To be put after these, as
 * further common tables.
 */
export function hashedTables(serverVersion: number): string {
  const since18 = serverVersion >= 180_000 ? ', k.conenforced, k.conperiod' : '';
  const parts = [COLUMNS, TABLES, PARENTS, CONSTRAINTS(since18), INDEXES, TRIGGERS, SEQUENCES];
  const expressions = [COMPARED_EXPRESSIONS, PRINTED_EXPRESSIONS];
  return `expressions as materialized (${EXPRESSIONS}), common as materialized (${COMMON}),
  hashed as (${summed([...parts, ...expressions, ...PRINTED_PARTS.map(printed)])})`;
}

/** Gives the likeness of each schema of `target` as `hashed (nsp, hash)`; to be put after it as further common tables. */
export function likenessTables(serverVersion: number): Sql {
  return raw(`${CONTENT_TABLES}, ${hashedTables(serverVersion)}`);
}
