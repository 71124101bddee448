import type { TenancySettings } from '../../core/settings.js';
import type { Connection } from '../../pg/connection.js';
import { membershipToAct } from '../../pg/roles.js';
import { ident, sql } from '../../pg/sql.js';
import type { Coverage } from './coverage.js';
import { withApplication } from './tables.js';

/** The roles as which applications act, as the probes take them. */
export interface ProbingRoles {
  /** Those as which attempts are made: the application's role first. */
  roles: string[];
  /** Those that have rights of their own and were not tried, with the reason. */
  left: Coverage['notProbed'];
  /** What has to be granted before anything can be tried as the application; null where nothing has to be. */
  lacking: string | null;
}

/** Roles beside the application's own that are tried in one pool. */
const MOST = 5;
const SET_OPTION_SINCE = 160_000;

interface Login {
  name: string;
  assumable: boolean;
  /** Is it bound by no policy? A rule of its own says so. */
  bypasses: boolean;
  /** Roles whose rights it has at once, of those that anything here names. */
  footing: string[];
}

/**
 * Members of the application's role that have other rights than that role, or that policies know by their name. Those that are
 * alike are tried once.
 * @param byName do policies ask for current_user, so that a role's name alone may make a difference?
 */
export async function readProbingRoles(
  session: Connection,
  tenancy: TenancySettings,
  byName: boolean,
): Promise<ProbingRoles> {
  const logins = await readLogins(session, tenancy);
  const [own, ...others] = logins;
  const known = new Map<string, Login>();
  for (const login of others) {
    const alike = login.footing.length === 0 || login.footing.join() === own?.footing.join();
    const key = byName ? `${login.name} ${login.footing.join()}` : login.footing.join();
    if ((byName || !alike) && !(known.get(key)?.assumable ?? false)) known.set(key, login);
  }
  const told = [...known.values()].map((login) => ({ login, reason: reasonAgainst(login, session) }));
  const tried = told.filter(({ reason }) => reason === null).map(({ login }) => login.name);
  return {
    roles: [tenancy.appRole, ...tried.slice(0, MOST)],
    left: [
      ...told.flatMap(({ login: { name }, reason }) =>
        reason === null ? [] : [{ where: `role ${name}`, reason }],
      ),
      ...tried.slice(MOST).map((name) => ({ where: `role ${name}`, reason: `only ${MOST} roles are tried` })),
    ],
    lacking: own?.assumable === false ? membership(own.name, session) : null,
  };
}

/** Lets the administrator assume a role without inheriting its rights. */
function membership(role: string, { user, version }: Connection): string {
  const options = version >= SET_OPTION_SINCE ? ' with inherit false, set true' : '';
  return `grant ${ident(role).text()} to ${ident(user).text()}${options}`;
}

function reasonAgainst({ assumable, bypasses }: Login, { version }: Connection): string | null {
  if (bypasses) return 'no policy binds it, as the finding role-bypasses says';
  if (assumable) return null;
  const option = version >= SET_OPTION_SINCE ? ' WITH INHERIT FALSE, SET TRUE' : '';
  return `the administrator may not assume it, and it has rights that the application's role has not: grant it to the administrator${option}`;
}

/** The application's role first. Rights and policies that name nobody here make no difference. */
function readLogins(session: Connection, tenancy: TenancySettings): Promise<Login[]> {
  const right = membershipToAct(session);
  return session.rows<Login>(sql`
    ${withApplication({ tenancy })},
    named (oid) as (
      select x.grantee from pg_class c, aclexplode(c.relacl) x where c.oid >= 16384
      union select x.grantee from pg_attribute a, aclexplode(a.attacl) x where a.attacl is not null and a.attrelid >= 16384
      union select x.grantee from pg_proc f, aclexplode(f.proacl) x where f.oid >= 16384
      union select x.grantee from pg_namespace n, aclexplode(n.nspacl) x
      union select c.relowner from pg_class c where c.oid >= 16384 union select f.proowner from pg_proc f where f.oid >= 16384
      union select p.oid from pg_policy y, unnest(y.polroles) p (oid))
    select a.name, pg_has_role(session_user, a.oid, ${right}) as assumable, r.rolbypassrls as bypasses,
           array(select g.rolname::text from named n join pg_roles g on g.oid = n.oid where pg_has_role(a.oid, n.oid, 'USAGE') order by 1) as footing
      from application a join pg_roles r on r.oid = a.oid order by a.name <> ${tenancy.appRole}, a.name`);
}
