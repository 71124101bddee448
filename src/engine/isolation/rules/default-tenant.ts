import { type Sql, ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundOn } from '../catalog-rule.js';
import { withApplication } from '../tables.js';

interface Default {
  role: string | null;
  database: string | null;
}

export const defaultTenant: CatalogRule = {
  home: 'cluster',
  rule: {
    name: 'default-tenant',
    check: 'isolation',
    level: 'error',
    summary:
      'A role or database gives its sessions a tenant by default: whoever forgets to say the tenant works in the data of that one.',
    explanation:
      'A session that has set no tenant must see nothing, so that a forgotten context is noticed. ALTER ROLE … SET and ALTER DATABASE … SET give every new session a value before the application has said anything, and RESET goes back to it. An empty value is no tenant, and is not reported.',
    remedy: 'Reset the setting; each transaction says its tenant itself.',
    bad: `-- as a superuser
alter role app_user set app.tenant_id = '00000000-0000-0000-0000-000000000001';`,
    good: `-- as a superuser
alter role app_user set app.tenant_id = '';`,
  },
  async find(context) {
    const { setting } = context.tenancy;
    const own = context.homes.filter(({ dedicated }) => dedicated).map(({ database }) => database);
    const defaults = await context.session.rows<Default>(sql`
      ${withApplication(context)}
      select r.rolname::text as role, d.datname::text as database
        from pg_db_role_setting s cross join unnest(s.setconfig) c
        left join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase
       where lower(split_part(c, '=', 1)) = lower(${setting}) and c not like '%='
         and (s.setrole = 0 or s.setrole in (select oid from application))
         -- One tenant's own database is nobody else's.
         and (d.datname is null or d.datname <> all (${own}::text[])) order by 1, 2`);
    return defaults.map(({ role, database }) => {
      const whose = [role === null ? 'every role' : `role ${role}`, ...(database === null ? [] : [database])];
      return foundOn(
        context,
        this.rule,
        `${setting} of ${whose.join(' in ')}`,
        `sessions of ${whose.join(' in ')} begin with a tenant in ${setting}: one that forgets to say its tenant works in the data of another`,
        { sql: [reset(role, database, setting)], facts: { role, database, setting } },
      );
    });
  },
};

function reset(role: string | null, database: string | null, setting: string): Sql {
  const name = raw(
    setting
      .split('.')
      .map((part) => ident(part).text())
      .join('.'),
  );
  if (role === null && database === null) return sql`alter role all reset ${name}`;
  if (role === null) return sql`alter database ${ident(database ?? '')} reset ${name}`;
  const inside = database === null ? raw('') : sql` in database ${ident(database)}`;
  return sql`alter role ${ident(role)}${inside} reset ${name}`;
}
