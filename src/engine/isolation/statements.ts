import { type Sql, ident, raw, sql } from '../../pg/sql.js';

/** `"app_user"`, or the word PUBLIC for null. */
export function grantee(name: string | null): Sql {
  return name === null ? raw('public') : ident(name);
}

/** Takes privileges on an object away; `kind` is what GRANT calls it, such as `TABLE`. */
export function revoke(privileges: readonly string[], kind: string, object: Sql, from: string | null): Sql {
  return sql`revoke ${raw(privileges.join(', ').toLowerCase())} on ${raw(kind.toLowerCase())} ${object} from ${grantee(from)}`;
}

/** Names for a sentence: the first few, and how many more. */
export function someOf(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(', ')} and ${more} more` : names.join(', ');
}
