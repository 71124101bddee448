import type { Connection } from '../../../pg/connection.js';
import { ident, sql } from '../../../pg/sql.js';
import type { MoveFinding, PreflightRule } from './finding.js';

/** What the administrator must be allowed to do where the new home is made. */
export const adminRights: PreflightRule = async ({ goal, target }) => {
  if (target !== null) return [];
  const { cluster, database, role } = goal.side.home.placement;
  const admin = ident(goal.server.user).text();
  const may = await rightsOf(goal.server, database, role);
  const finding = (where: string, what: string, hint: string): MoveFinding => ({
    rule: 'right-missing',
    level: 'error',
    where,
    message: `${goal.server.user} may not ${what} on cluster ${cluster}, so the new home cannot be made.`,
    hint: `As a superuser there: ${hint}`,
  });
  return [
    ...(goal.database === null && !may.databases
      ? [finding(database, 'create databases', `alter role ${admin} createdb;`)]
      : []),
    ...(goal.database !== null && !may.schemas
      ? [
          finding(
            database,
            `create a schema in database ${database}`,
            `grant create on database ${ident(database).text()} to ${admin};`,
          ),
        ]
      : []),
    ...(!may.hasRole && !may.roles
      ? [finding(role, `create role ${role}`, `alter role ${admin} createrole;`)]
      : []),
  ];
};

interface Rights {
  databases: boolean;
  roles: boolean;
  schemas: boolean;
  hasRole: boolean;
}

async function rightsOf(server: Connection, database: string, role: string): Promise<Rights> {
  const row = await server.row<Rights>(sql`
    select rolcreatedb or rolsuper as databases, rolcreaterole or rolsuper as roles,
           exists (select from pg_roles where rolname = ${role}) as "hasRole",
           coalesce((select has_database_privilege(d.oid, 'CREATE') from pg_database d where d.datname = ${database}), true) as schemas
      from pg_roles where rolname = session_user`);
  return row ?? { databases: false, roles: false, schemas: false, hasRole: false };
}
