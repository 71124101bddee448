import type { Connection } from '../../../pg/connection.js';
import { ident, sql } from '../../../pg/sql.js';
import type { MoveFinding, PreflightRule } from './finding.js';

interface Offer {
  name: string;
  available: boolean;
  installed: boolean;
  /** Does it take a superuser to create it? */
  guarded: boolean;
}

/** Types and functions of extensions are not moved: the new home's database must have them of its own. */
export const extensions: PreflightRule = async ({ fleet, source, goal }) => {
  const { extensionsSchema } = fleet.settings.tenancy;
  const names = await source.session.rows<{ name: string }>(sql`
    select e.extname::text as name from pg_extension e join pg_namespace n on n.oid = e.extnamespace
     where n.nspname = ${extensionsSchema} order by 1`);
  const wanted = names.map(({ name }) => name);
  const offers = await offersOf(goal.database ?? goal.server, wanted, goal.database !== null);
  return offers.flatMap((offer) =>
    missing(offer, extensionsSchema, goal.side.home.placement, goal.server.user),
  );
};

function missing(
  { name, available, installed, guarded }: Offer,
  schema: string,
  { cluster, database }: { cluster: string; database: string },
  admin: string,
): MoveFinding[] {
  if (installed || (available && !guarded)) return [];
  const create = `create extension ${ident(name).text()} schema ${ident(schema).text()};`;
  return [
    {
      rule: 'extension-missing',
      level: 'error',
      where: name,
      message: available
        ? `Extension ${name} is not in database ${database} of cluster ${cluster}, and ${admin} may not create it.`
        : `Extension ${name}, which the old home has, is not installed on the server of cluster ${cluster}.`,
      hint: available
        ? `As a superuser, in database ${database}: ${create}`
        : `Install its package on that server; then a superuser checks with: select * from pg_available_extensions where name = ${sql`${name}`.text()};`,
    },
  ];
}

/** A database that is still to be made is a copy of one that we do not know: what it holds is seen when it is made. */
async function offersOf(session: Connection, names: readonly string[], made: boolean): Promise<Offer[]> {
  return session.rows<Offer>(sql`
    select w.name, a.name is not null as available, ${made} and e.oid is not null as installed,
           ${made} and coalesce(v.superuser and not v.trusted, false)
             and not (select rolsuper from pg_roles where rolname = session_user) as guarded
      from unnest(${[...names]}::text[]) as w (name)
      left join pg_available_extensions a on a.name = w.name
      left join pg_available_extension_versions v on v.name = a.name and v.version = a.default_version
      left join pg_extension e on e.extname = w.name
     order by 1`);
}
