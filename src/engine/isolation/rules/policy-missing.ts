import type { Finding } from '../../../core/finding.js';
import { type Sql, ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, type RuleContext, foundIn } from '../catalog-rule.js';
import { reachesApplication, tenantTables, withApplication } from '../tables.js';

/** SELECT, INSERT, UPDATE and DELETE. */
const COMMANDS = 4;

interface Unanswered {
  schema: string;
  name: string;
  type: string;
  commands: string[];
}

export const policyMissing: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'policy-missing',
    check: 'isolation',
    level: 'warning',
    summary:
      'The application may use a command on a table for which no permissive policy exists: it reads nothing, changes nothing, and is told of no error.',
    explanation:
      'Row-level security without a permissive policy for a command admits no row. SELECT, UPDATE and DELETE then touch 0 rows without an error, and INSERT fails. Restrictive policies alone admit nothing.',
    remedy: 'Give the table a policy for these commands, or take the right away.',
    bad: 'drop policy tenantctl_tenant on tax_rate;',
    good: `drop policy tenantctl_tenant on tax_rate;
create policy own on tax_rate
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
  },
  async find(context) {
    const tables = await context.session.rows<Unanswered>(sql`
      ${withApplication(context)}
      select t.schema, t.name, t.type, array_agg(distinct x.privilege_type) as commands
        from ${tenantTables(context)} t, aclexplode(t.acl) x
       where t.rls and not t.child and x.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
         and x.grantee <> t.owner and ${reachesApplication(sql`x.grantee`)}
         and not exists (select from pg_policy p where p.polrelid = t.oid and p.polpermissive and p.polname <> 'tenantctl_fleet'
               and (p.polcmd = '*' or p.polcmd = case x.privilege_type when 'SELECT' then 'r'::"char" when 'INSERT' then 'a' when 'UPDATE' then 'w' else 'd' end)
               and (0 = any (p.polroles) or exists (select from application a, unnest(p.polroles) r (oid) where pg_has_role(a.oid, r.oid, 'USAGE'))))
       group by 1, 2, 3 order by 1, 2`);
    const findings: Finding[] = [];
    for (const table of tables) {
      const { schema, name, commands } = table;
      const message = `no permissive policy on ${schema}.${name} speaks of ${commands.join(', ')}: the application touches no row there, and most of the time without an error`;
      const particulars = { sql: await policiesFor(context, table), facts: { commands } };
      findings.push(foundIn(context, this.rule, `${schema}.${name}`, message, particulars));
    }
    return findings;
  },
};

async function policiesFor(
  { session, tenancy: { column, setting } }: RuleContext,
  { schema, name, type, commands }: Unanswered,
): Promise<Sql[]> {
  const row = await session.row<{ condition: string }>(
    sql`select tenantctl.tenant_condition(${column}, ${type}, ${setting}, ${schema}) as condition`,
  );
  const condition = raw(row?.condition ?? 'false');
  const table = ident(schema, name);
  if (commands.length === COMMANDS) {
    return [sql`create policy tenantctl_tenant on ${table} using (${condition}) with check (${condition})`];
  }
  return commands.map((command) => {
    const clause = command === 'INSERT' ? 'with check' : 'using';
    const policy = ident(`tenant_${command.toLowerCase()}`);
    return sql`create policy ${policy} on ${table} for ${raw(command.toLowerCase())} ${raw(clause)} (${condition})`;
  });
}
