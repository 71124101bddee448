import { type Sql, join, raw, sql } from '../../../pg/sql.js';

/** One object of a schema with the statement that makes it. */
export interface SchemaObject {
  /** Catalog and number. */
  id: string;
  kind: ObjectKind;
  name: string;
  statement: string;
}

/** In the order in which they are made where nothing else decides it. */
export const KINDS = ['collation', 'type', 'sequence', 'routine', 'table', 'partition', 'view'] as const;
export type ObjectKind = (typeof KINDS)[number];

/** What belongs to an extension comes with it. */
function ownMembers(catalog: string, alias: string): Sql {
  return raw(
    `not exists (select from pg_depend e where e.classid = '${catalog}'::regclass and e.objid = ${alias}.oid and e.deptype = 'e')`,
  );
}

/** `collate …` where a column or a domain has another one than its type. */
const COLLATION = (collation: string, ofType: string): string =>
  `case when ${collation} <> 0 and ${collation} <> ${ofType} then ' collate ' || ${collation}::regcollation::text else '' end`;

const COLLATIONS = (schema: Sql): Sql => sql`
  select 'pg_collation ' || c.oid as id, 'collation' as kind, c.collname::text as name, format('create collation %I (%s)', c.collname, concat_ws(', ',
      'provider = ' || case c.collprovider when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end,
      case when c.collprovider = 'c' then format('lc_collate = %L, lc_ctype = %L', c.collcollate, c.collctype)
        else format('locale = %L', coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale')) end,
      case when not c.collisdeterministic then 'deterministic = false' end)) as statement
    from pg_collation c where c.collnamespace = ${schema} and ${ownMembers('pg_collation', 'c')}`;

const TYPES = (schema: Sql): Sql => sql`
  select 'pg_type ' || t.oid, 'type', t.typname::text, case t.typtype
      when 'e' then format('create type %I as enum (%s)', t.typname,
        (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid))
      when 'd' then concat(format('create domain %I as %s', t.typname, format_type(t.typbasetype, t.typtypmod)), ${raw(COLLATION('t.typcollation', 'b.typcollation'))},
        ' default ' || pg_get_expr(t.typdefaultbin, 0), case when t.typnotnull then ' not null' end,
        (select string_agg(format(' constraint %I %s', k.conname, pg_get_constraintdef(k.oid)), '' order by k.conname)
           from pg_constraint k where k.contypid = t.oid and k.contype = 'c'))
      when 'r' then (select format('create type %I as range (%s)', t.typname, concat_ws(', ', 'subtype = ' || format_type(r.rngsubtype, null),
          'subtype_diff = ' || nullif(r.rngsubdiff::oid, 0)::regproc::text, format('multirange_type_name = %I', m.typname)))
        from pg_range r join pg_type m on m.oid = r.rngmultitypid where r.rngtypid = t.oid)
      else format('create type %I as (%s)', t.typname,
        (select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)) || ${raw(COLLATION('a.attcollation', 'y.typcollation'))}, ', ' order by a.attnum)
           from pg_attribute a join pg_type y on y.oid = a.atttypid where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)) end
    from pg_type t left join pg_type b on b.oid = t.typbasetype left join pg_class c on c.oid = t.typrelid
   where t.typnamespace = ${schema} and (t.typtype in ('e', 'd', 'r') or c.relkind = 'c') and ${ownMembers('pg_type', 't')}`;

const SEQUENCE_OPTIONS = `format('start with %s increment by %s minvalue %s maxvalue %s cache %s%s', s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
  case when s.seqcycle then ' cycle' else '' end)`;

/** Those of identity columns are made with their tables. */
const SEQUENCES = (schema: Sql): Sql => sql`
  select 'pg_class ' || c.oid, 'sequence', c.relname::text, format('create sequence %I as %s %s', c.relname, format_type(s.seqtypid, null), ${raw(SEQUENCE_OPTIONS)})
    from pg_class c join pg_sequence s on s.seqrelid = c.oid
   where c.relnamespace = ${schema} and ${ownMembers('pg_class', 'c')}
     and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'i')`;

/** Printed with the name of their schema before their own. Aggregates and functions of libraries cannot be printed. */
const ROUTINES = (schema: Sql): Sql => sql`
  select 'pg_proc ' || p.oid, 'routine', p.proname::text, overlay(f.text placing '' from position(f.prefix in f.text) for length(f.prefix))
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
    cross join lateral (select pg_get_functiondef(p.oid) as text, quote_ident(n.nspname) || '.' as prefix) f
   where p.pronamespace = ${schema} and p.prokind in ('f', 'p', 'w') and l.lanname not in ('c', 'internal') and ${ownMembers('pg_proc', 'p')}`;

const IDENTITY = `(select format('generated %s as identity (sequence name %I %s)', case a.attidentity when 'a' then 'always' else 'by default' end, q.relname, ${SEQUENCE_OPTIONS})
  from pg_depend d join pg_class q on q.oid = d.objid join pg_sequence s on s.seqrelid = q.oid
 where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and d.deptype = 'i')`;

/** Columns that are not in the files because every row has the same there, as JSON `[table, column]`: new rows get it. */
export interface ConstantColumns {
  constant: readonly string[];
  key: string;
}

const TABLES = (schema: Sql, { constant, key }: ConstantColumns): Sql => sql`
  select 'pg_class ' || c.oid, case when c.relispartition then 'partition' else 'table' end, c.relname::text, concat('create ', case when c.relpersistence = 'u' then 'unlogged ' end, 'table ', quote_ident(c.relname),
      case when c.relispartition then format(' partition of %s %s', i.parents, pg_get_expr(c.relpartbound, c.oid))
        else concat(' (', k.columns, E'\\n)', ' inherits (' || i.parents || ')') end,
      ' partition by ' || pg_get_partkeydef(c.oid))
    from pg_class c
    cross join lateral (select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno) as parents from pg_inherits i where i.inhrelid = c.oid) i
    cross join lateral (
      select string_agg(E'\\n  ' || concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod) || ${raw(COLLATION('a.attcollation', 'y.typcollation'))},
          case when a.attidentity <> '' then ${raw(IDENTITY)}
            when a.attgenerated = 's' then format('generated always as (%s) stored', pg_get_expr(d.adbin, d.adrelid))
            when a.attgenerated <> '' then format('generated always as (%s) virtual', pg_get_expr(d.adbin, d.adrelid))
            when json_build_array(c.relname, a.attname)::jsonb = any (${constant}::jsonb[]) then 'default ' || quote_literal(${key}::text)
            else 'default ' || pg_get_expr(d.adbin, d.adrelid) end,
          case when a.attnotnull then 'not null' end), ',' order by a.attnum) as columns
        from pg_attribute a join pg_type y on y.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and (a.attislocal or a.attinhcount = 0)) k
   where c.relnamespace = ${schema} and c.relkind in ('r', 'p') and ${ownMembers('pg_class', 'c')}`;

const VIEWS = (schema: Sql): Sql => sql`
  select 'pg_class ' || c.oid, 'view', c.relname::text, concat('create ', case when c.relkind = 'm' then 'materialized ' end, 'view ', quote_ident(c.relname),
      case when c.relkind = 'v' then ' with (' || array_to_string(c.reloptions, ', ') || ')' end, E' as\\n', rtrim(pg_get_viewdef(c.oid), ';'))
    from pg_class c where c.relnamespace = ${schema} and c.relkind in ('v', 'm') and ${ownMembers('pg_class', 'c')}`;

/** Every object of a schema that is made by a statement of its own. */
export function objectsOf(schema: Sql, constant: ConstantColumns): Sql {
  const others = [TYPES, SEQUENCES, ROUTINES, VIEWS].map((part) => part(schema));
  return join([COLLATIONS(schema), TABLES(schema, constant), ...others], ' union all ');
}
