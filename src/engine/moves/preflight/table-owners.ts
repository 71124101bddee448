import { ident, raw, sql } from '../../../pg/sql.js';
import { isToolTable } from '../../ledger/tool-tables.js';
import type { Inspected, MoveFinding } from './finding.js';

/** Since 16 a grant says for itself whether rights are inherited. */
const GRANT_OPTIONS_SINCE = 160_000;

interface Owned {
  relation: string;
  owner: string;
  /** Has the administrator the rights of the owner? */
  ours: boolean;
  superuser: boolean;
  /** Has a role of the application? */
  application: string | null;
}

/**
 * Who owns the tables of a home: the administrator, who has to read them and put gates on them, and nobody who could
 * take these off again. A table that is not ours cannot even be looked at, so this comes before every other rule.
 */
export async function tableOwners({ session, side }: Inspected, appRole: string): Promise<MoveFinding[]> {
  const { schema, role } = side.home.placement;
  const tables = await session.rows<Owned>(sql`
    select * from (
      select c.relname::text as relation, pg_get_userbyid(c.relowner)::text as owner,
             pg_has_role(c.relowner, 'USAGE') as ours, (select rolsuper from pg_roles where oid = c.relowner) as superuser,
             (select min(r.rolname)::text from pg_roles r
               where r.rolname in (${appRole}, ${role}) and pg_has_role(r.oid, c.relowner, 'MEMBER')) as application
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = ${schema} and c.relkind in ('r', 'p') and not ${raw(isToolTable('c'))}) one
     where not ours or application is not null order by relation`);
  return tables.map(({ relation, owner, superuser, application }) => {
    const isGroup = application !== null && application !== owner;
    return {
      rule: 'table-owner',
      level: 'error',
      where: relation,
      message:
        application === null
          ? `Table ${relation} of schema ${schema} belongs to ${owner}, whose rights ${session.user} has not, so it can be neither read nor followed.`
          : `Role ${application} has the rights of the owner of table ${relation} of schema ${schema}, so the application can change it or take its gate off while the tenant moves.`,
      hint: isGroup
        ? `revoke ${ident(owner).text()} from ${ident(application).text()};`
        : application === null && !superuser
          ? `grant ${ident(owner).text()} to ${ident(session.user).text()}${session.version >= GRANT_OPTIONS_SINCE ? ' with inherit true' : ''};`
          : `alter table ${ident(schema, relation).text()} owner to ${ident(session.user).text()};`,
    };
  });
}
