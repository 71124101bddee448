import { literal } from '../../../pg/sql.js';

const EACH = ' FOR EACH ';
const WHEN = ' WHEN (';
const EXECUTE = ' EXECUTE FUNCTION ';

/** What every silenced trigger has in its definition, and none of a user's. */
export const MARK = `current_setting('tenantctl.moving'`;

/**
 * The definition of a trigger that does not fire for the mover: for the administrator's login while it says that it
 * moves a tenant. The application cannot be that login, and the administrator's own migrations do not say so.
 * @param definition as pg_get_triggerdef gives it
 */
export function silencedDefinition(definition: string, admin: string): string {
  const readable = withoutQuoted(definition);
  const each = readable.indexOf(EACH);
  const execute = readable.lastIndexOf(EXECUTE);
  const when = readable.indexOf(WHEN, each);
  const head = definition.slice(0, when < 0 ? execute : when);
  const condition = when < 0 ? '' : ` AND (${definition.slice(when + WHEN.length, execute - 1)})`;
  const others = `(session_user <> ${literal(admin)} OR coalesce(${MARK}, true), '') = '')`;
  return `${head} WHEN (${others}${condition})${definition.slice(execute)}`;
}

/** The same text with names and literals blotted out, so that words in them are not taken for the grammar's. */
function withoutQuoted(text: string): string {
  return text.replaceAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'/g, (quoted) => '_'.repeat(quoted.length));
}
