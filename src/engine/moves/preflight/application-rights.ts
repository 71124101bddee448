import { type Sql, ident, sql } from '../../../pg/sql.js';
import { movedRelations } from '../merge/moved-relations.js';
import type { Inspected, MoveFinding, PreflightRule } from './finding.js';

interface Grant {
  relation: string;
  role: string;
  /** Who was given it: the role, one that it has the rights of, or everybody. */
  grantee: string | null;
}

/** TRUNCATE passes by whatever is put on rows: in a pool it also takes those of every other tenant. */
export const truncateRights: PreflightRule = async ({ fleet, source, target }) =>
  inBoth(source, target, async (one) => {
    const { schema } = one.side.home.placement;
    const grants = await one.session.rows<Grant>(sql`
      with ${relationsOf(one)}
      select distinct c.relname::text as relation, r.rolname::text as role,
             case when a.grantee = 0 then null else pg_get_userbyid(a.grantee)::text end as grantee
        from moved m join pg_class c on c.oid = m.relid
        cross join lateral aclexplode(c.relacl) a
        join pg_roles r on r.rolname = any (${rolesOf(one, fleet.settings.tenancy.appRole)}::text[])
       where a.privilege_type = 'TRUNCATE' and a.grantee <> c.relowner
         and (a.grantee = 0 or pg_has_role(r.oid, a.grantee, 'USAGE')) order by 1, 2`);
    return grants.map(({ relation, role, grantee }) => ({
      rule: 'truncate-right',
      level: 'error',
      where: relation,
      message: `Role ${role} may TRUNCATE table ${relation} of schema ${schema}, which no mark on rows tells of, so the copy would keep what is gone.`,
      hint: `revoke truncate on ${qualified(schema, relation)} from ${nameOf(grantee)};`,
    }));
  });

/** Who owns a table, or may put triggers on it, can take the gate off again. */
export const tableOwnership: PreflightRule = async ({ fleet, source, target }) =>
  inBoth(source, target, async (one) => {
    const { schema } = one.side.home.placement;
    const owned = await one.session.rows<{ relation: string; role: string; owner: string }>(sql`
      with ${relationsOf(one)}
      select distinct c.relname::text as relation, r.rolname::text as role, pg_get_userbyid(c.relowner)::text as owner
        from moved m join pg_class c on c.oid = m.relid
        join pg_roles r on r.rolname = any (${rolesOf(one, fleet.settings.tenancy.appRole)}::text[])
       where pg_has_role(r.oid, c.relowner, 'MEMBER') order by 1, 2`);
    return owned.map(({ relation, role, owner }) => ({
      rule: 'application-owns-table',
      level: 'error',
      where: relation,
      message: `Role ${role} has the rights of the owner of table ${relation}, so the application can change the table or take its gate off while the tenant moves.`,
      hint:
        owner === role
          ? `alter table ${qualified(schema, relation)} owner to ${ident(one.session.user).text()};`
          : `revoke ${ident(owner).text()} from ${ident(role).text()};`,
    }));
  });

/** A table that appears during the move would stay behind. */
export const createRights: PreflightRule = async ({ fleet, source, target }) =>
  inBoth(source, target, async (one) => {
    const { schema } = one.side.home.placement;
    const grants = await one.session.rows<{ role: string; grantee: string | null }>(sql`
      select distinct r.rolname::text as role, case when a.grantee = 0 then null else pg_get_userbyid(a.grantee)::text end as grantee
        from pg_namespace n cross join lateral aclexplode(n.nspacl) a
        join pg_roles r on r.rolname = any (${rolesOf(one, fleet.settings.tenancy.appRole)}::text[])
       where n.nspname = ${schema} and a.privilege_type = 'CREATE' and a.grantee <> n.nspowner
         and (a.grantee = 0 or pg_has_role(r.oid, a.grantee, 'USAGE')) order by 1`);
    return grants.map(({ role, grantee }) => ({
      rule: 'create-right',
      level: 'error',
      where: schema,
      message: `Role ${role} may create tables in schema ${schema}; one that the application makes during the move would stay behind.`,
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

/** The roles that an application has in a home. */
function rolesOf({ side }: Inspected, appRole: string): string[] {
  return [...new Set([appRole, side.home.placement.role])];
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
