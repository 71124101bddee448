import { type Sql, ident, raw, sql } from '../../pg/sql.js';

/** `"app_user"`, or the word PUBLIC for null. */
export function grantee(name: string | null): Sql {
  return name === null ? raw('public') : ident(name);
}

/** Takes privileges on an object away; `kind` is what GRANT calls it, such as `TABLE`. */
export function revoke(privileges: readonly string[], kind: string, object: Sql, from: string | null): Sql {
  return sql`revoke ${raw(privileges.join(', ').toLowerCase())} on ${raw(kind.toLowerCase())} ${object} from ${grantee(from)}`;
}

/**
 * A text in SQL: what follows the columns of a foreign key, such as `on delete cascade deferrable`. SET NULL and SET DEFAULT
 * name their columns, so that a key which gets the tenant column as well leaves that one alone.
 * @param key alias of a row of pg_constraint
 */
export function endingOf(key: string): Sql {
  return raw(`concat(case ${key}.confmatchtype when 'f' then ' match full' end, case ${key}.confupdtype when 'c' then ' on update cascade' when 'r' then ' on update restrict' end,
    case ${key}.confdeltype when 'c' then ' on delete cascade' when 'r' then ' on delete restrict' when 'n' then ' on delete set null' when 'd' then ' on delete set default' end,
    case when ${key}.confdeltype in ('n', 'd') then (select ' (' || string_agg(quote_ident(a.attname), ', ') || ')' from pg_attribute a
      where a.attrelid = ${key}.conrelid and a.attnum = any (coalesce(${key}.confdelsetcols, ${key}.conkey))) end,
    case when ${key}.condeferrable then ' deferrable' end, case when ${key}.condeferred then ' initially deferred' end)`);
}

/** Names for a sentence: the first few, and how many more. */
export function someOf(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(', ')} and ${more} more` : names.join(', ');
}

const LONGEST_NAME = 63;

/** A name with an ending, as long as the server takes it. */
export function nameWith(name: string, ending: string): string {
  const letters = [...name];
  while (Buffer.byteLength(`${letters.join('')}${ending}`) > LONGEST_NAME) letters.pop();
  return `${letters.join('')}${ending}`;
}
