import { type Sql, ident, raw, sql } from '../../../pg/sql.js';
import { movedRelations } from '../merge/moved-relations.js';
import type { Inspected, MoveFinding, PreflightRule } from './finding.js';

interface Grant {
  relation: string;
  /** Those of the application that have it. */
  roles: string;
  /** Who was given it: one of them, one whose rights they have, or everybody (null). */
  grantee: string | null;
}

/** TRUNCATE passes by whatever is put on rows: in a pool it also takes those of every other tenant. */
export const truncateRights: PreflightRule = async ({ fleet, source, target }) =>
  inBoth(source, target, async (one) => {
    const { schema } = one.side.home.placement;
    const grants = await one.session.rows<Grant>(sql`
      with ${relationsOf(one)}
      select c.relname::text as relation, ${GRANTED}
        from moved m join pg_class c on c.oid = m.relid
        cross join lateral aclexplode(c.relacl) a
        join pg_roles r on ${isOfApplication(one, fleet.settings.tenancy.appRole)}
       where a.privilege_type = 'TRUNCATE' and a.grantee <> c.relowner and ${REACHED}
       group by c.relname, a.grantee order by 1, 2`);
    return grants.map(({ relation, roles, grantee }) => ({
      rule: 'truncate-right',
      level: 'error',
      where: relation,
      message: `${roles} may TRUNCATE table ${relation} of schema ${schema}, which no mark on rows tells of, so the copy would keep what is gone.`,
      hint: `revoke truncate on ${qualified(schema, relation)} from ${nameOf(grantee)};`,
    }));
  });

/** A table that appears during the move would stay behind. */
export const createRights: PreflightRule = async ({ fleet, source, target }) =>
  inBoth(source, target, async (one) => {
    const { schema } = one.side.home.placement;
    const grants = await one.session.rows<{ roles: string; grantee: string | null }>(sql`
      select ${GRANTED}
        from pg_namespace n cross join lateral aclexplode(n.nspacl) a
        join pg_roles r on ${isOfApplication(one, fleet.settings.tenancy.appRole)}
       where n.nspname = ${schema} and a.privilege_type = 'CREATE' and a.grantee <> n.nspowner and ${REACHED}
       group by a.grantee order by 1`);
    return grants.map(({ roles, grantee }) => ({
      rule: 'create-right',
      level: 'error',
      where: schema,
      message: `${roles} may create tables in schema ${schema}; one that the application makes during the move would stay behind.`,
      hint: `revoke create on schema ${ident(schema).text()} from ${nameOf(grantee)};`,
    }));
  });

async function inBoth(
  source: Inspected,
  target: Inspected | null,
  look: (one: Inspected) => Promise<MoveFinding[]>,
): Promise<MoveFinding[]> {
  const here = await look(source);
  return target === null ? here : [...here, ...(await look(target))];
}

const GRANTED = raw(`string_agg(distinct r.rolname::text, ', ') as roles,
  case when a.grantee = 0 then null else pg_get_userbyid(a.grantee)::text end as grantee`);

/** Is what was granted to somebody the role's as well? */
const REACHED = raw(`(a.grantee = 0 or pg_has_role(r.oid, a.grantee, 'USAGE'))`);

/** The roles that an application assumes, and those that it logs in with. */
function isOfApplication({ side }: Inspected, appRole: string): Sql {
  return sql`not r.rolsuper and r.rolname <> session_user and exists (
    select from pg_roles p where p.rolname in (${appRole}, ${side.home.placement.role}) and pg_has_role(r.oid, p.oid, 'MEMBER'))`;
}

function nameOf(grantee: string | null): string {
  return grantee === null ? 'public' : ident(grantee).text();
}

function qualified(schema: string, relation: string): string {
  return ident(schema, relation).text();
}

function relationsOf({ side, tables }: Inspected): Sql {
  return movedRelations(
    side.home.placement.schema,
    tables.map(({ name }) => name),
  );
}
