import { type Sql, sql } from '../../../pg/sql.js';
import { KINDS, type SchemaObject } from './parts.js';

/** One object needs the other to be there. */
export interface Dependency {
  id: string;
  needs: string;
}

/**
 * What needs what in a schema, as the server knows it: its types by their tables, arrays by their elements, defaults and
 * checks by what they belong to. Constraints of tables come later than all objects.
 */
export function dependenciesOf(schema: Sql): Sql {
  return sql`
    with type_of as materialized (
      select t.oid, case
          when t.typrelid <> 0 and c.relkind <> 'c' then 'pg_class ' || t.typrelid
          when t.typelem <> 0 and t.typcategory = 'A' then 'pg_type ' || t.typelem
          when r.rngtypid is not null then 'pg_type ' || r.rngtypid
          else 'pg_type ' || t.oid end as id
        from pg_type t left join pg_class c on c.oid = t.typrelid left join pg_range r on r.rngmultitypid = t.oid
       where t.typnamespace = ${schema}),
    part as materialized (
      select 'pg_type'::regclass as class, oid, id from type_of
      union all select 'pg_class'::regclass, oid, case when relkind = 'c' then 'pg_type ' || reltype else 'pg_class ' || oid end
        from pg_class where relnamespace = ${schema} and relkind not in ('i', 'I', 't')
      union all select 'pg_proc'::regclass, oid, 'pg_proc ' || oid from pg_proc where pronamespace = ${schema}
      union all select 'pg_collation'::regclass, oid, 'pg_collation ' || oid from pg_collation where collnamespace = ${schema}
      union all select 'pg_attrdef'::regclass, d.oid, 'pg_class ' || d.adrelid from pg_attrdef d join pg_class c on c.oid = d.adrelid where c.relnamespace = ${schema}
      union all select 'pg_constraint'::regclass, k.oid, 'pg_type ' || k.contypid from pg_constraint k where k.connamespace = ${schema} and k.contypid <> 0
      union all select 'pg_rewrite'::regclass, w.oid, 'pg_class ' || w.ev_class from pg_rewrite w join pg_class c on c.oid = w.ev_class
        where c.relnamespace = ${schema} and w.rulename = '_RETURN')
    select distinct one.id, coalesce(e.id, other.id) as needs
      from pg_depend d join part one on one.class = d.classid and one.oid = d.objid
      join part other on other.class = d.refclassid and other.oid = d.refobjid
      left join type_of e on other.id = 'pg_type ' || e.oid
     where d.deptype = 'n' and one.id <> other.id
    union select 'pg_class ' || i.inhrelid, 'pg_class ' || i.inhparent from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where c.relnamespace = ${schema} and c.relkind in ('r', 'p')`;
}

/** Objects in an order in which each finds what it needs; those that need each other come by their kind. */
export function inOrder(
  objects: readonly SchemaObject[],
  dependencies: readonly Dependency[],
): SchemaObject[] {
  const ranked = objects.toSorted(
    (one, other) => KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) || numberOf(one) - numberOf(other),
  );
  const left = new Map(ranked.map((object) => [object.id, object]));
  const ordered: SchemaObject[] = [];
  while (left.size > 0) {
    const waiting = new Set(dependencies.filter(({ needs }) => left.has(needs)).map(({ id }) => id));
    const free = [...left.values()].filter(({ id }) => !waiting.has(id));
    for (const object of free.length > 0 ? free : [...left.values()].slice(0, 1)) {
      ordered.push(object);
      left.delete(object.id);
    }
  }
  return ordered;
}

function numberOf({ id }: SchemaObject): number {
  return Number(id.split(' ')[1]);
}

/** The objects that can be made when some are not. */
export function possible(
  objects: readonly SchemaObject[],
  dependencies: readonly Dependency[],
  isKept: (object: SchemaObject) => boolean,
): SchemaObject[] {
  const dropped = new Set(objects.filter((object) => !isKept(object)).map(({ id }) => id));
  for (let size = -1; size !== dropped.size;) {
    size = dropped.size;
    for (const { id, needs } of dependencies) if (dropped.has(needs)) dropped.add(id);
  }
  return objects.filter(({ id }) => !dropped.has(id));
}
