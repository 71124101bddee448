import { type Sql, raw, sql } from '../../pg/sql.js';

/**
 * The schemas that are looked at, as a common table: `nsp`, `schema`, and how the schema's name may stand
 * in what the server prints of its objects. It prints a name of a schema that is not on the search path as
 * `name.`, and we keep all of them off it, so that a schema can be told from any other. `tenant_1` is not
 * found in `tenant_10.` nor in `my_tenant_1.`.
 */
export function targetTable(schemas: readonly string[]): Sql {
  return sql`target as materialized (
    select n.oid as nsp, n.nspname::text as schema, q.name, q.inside, q.path
      from pg_namespace n
      cross join lateral (select quote_ident(n.nspname) as name, replace(quote_ident(n.nspname), '''', '''''') as inside,
        quote_literal(n.nspname) as path) q
     where n.nspname = any(${schemas}::text[]))`;
}

const escaped = (text: string): Sql => raw(`regexp_replace(${text}, '([^[:alnum:]_])', '\\\\\\1', 'g')`);

/** `target` with each of these forms as a pattern: what `withoutOwnName` takes. */
export const NAMED_TARGET: Sql = sql`named as materialized (
  select *, ${escaped('name')} as name_pattern, ${escaped('inside')} as inside_pattern, ${escaped('path')} as path_pattern from target)`;

/**
 * A printed text without the name of its own schema.
 *
 * It stands as a qualifier, but also in constants of object types, `nextval('"O''Brien".s'::regclass)`, whose
 * quotes are doubled, in `'app'::regnamespace` of our own policies, and in `SET search_path TO 'tenant_1'`. Other strings are let be, though they may hold
 * its letters: in a schema `app` the setting `'app.tenant_id'` is no table. In the body of a function
 * strings cannot be told for sure, so there a name that opens one is let be.
 * @param text a column that holds it; the row is one of `named t` and of `printed p`
 */
export function withoutOwnName(text: string): Sql {
  const constants = `regexp_replace(${text}, '('')' || t.inside_pattern || '\\.((?:[^'']|'''')*''::reg)', '\\1\\2', 'g')`;
  const namespace = `replace(${constants}, '''' || t.inside || '''::regnamespace', '<schema>')`;
  const path = `regexp_replace(${namespace}, '(\\n SET search_path TO (?:[^\\n]*, )?)' || t.path_pattern || '(?=,|\\n)', '\\1<schema>')`;
  const inFunctions = `regexp_replace(${path}, '(?<![\\w$"''])' || t.name_pattern || '\\.', '', 'g')`;
  // Whole strings and quoted names are matched to be put back, so that nothing inside them is.
  const elsewhere = `regexp_replace(${namespace}, '(''(?:[^'']|'''')*''|"(?:[^"]|"")*")|(?<![\\w$"])' || t.name_pattern || '\\.', '\\1', 'g')`;
  return raw(`case when strpos(${text}, t.name) = 0 and strpos(${text}, t.inside) = 0 and strpos(${text}, t.path) = 0 then ${text}
    when p.kind in ('function', 'procedure') then ${inFunctions} else ${elsewhere} end`);
}
