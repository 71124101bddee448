import type { Connection } from '../../pg/connection.js';
import { readAdoptedOwners } from '../local/adopted.js';

/** What helps where the application logs in as the very role that migrations act as: whoever took its tables would stop them. */
export const ANOTHER_LOGIN =
  'Let the application log in as a role of its own that owns nothing and has the rights that it uses; this one keeps the tables, for migrations act as it.';

/**
 * Who is to own what the application should not: the administrator, and in a home that another tool had made the role as
 * which migrations act there.
 */
export async function readKeepers(session: Connection): Promise<(schema: string) => string> {
  const owners = await readAdoptedOwners(session);
  return (schema) => owners.get(schema) ?? session.user;
}
