import { type Sql, ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, type RuleContext, foundIn } from '../catalog-rule.js';
import { tenantTables } from '../tables.js';

interface ToolPolicy {
  schema: string;
  table: string;
  owner: string;
  name: string;
  permissive: boolean;
  command: string;
  roles: string[];
  using: string | null;
  check: string | null;
  /** The conditions that this tool writes into its policies here. */
  tenant: string;
  fleet: string;
}

export const toolPolicyDrift: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'tool-policy-drift',
    check: 'isolation',
    level: 'error',
    summary:
      'A policy that this tool made is not as it made it: it was changed by other hands, and migrations leave it as it is.',
    explanation:
      'The policies named tenantctl_tenant, tenantctl_fleet and tenantctl_guard are made once for each table. They hold sessions to their tenant, refuse tenants that are suspended or have moved, and let the administrator see all tenants only while it says so. Migrations do not make them again while policies of these names are there.',
    remedy: 'Make the policy again as this tool does.',
    bad: `alter policy tenantctl_tenant on webhook_endpoint
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    good: `comment on policy tenantctl_tenant on webhook_endpoint is 'made by tenantctl';`,
  },
  async find(context) {
    const policies = await readToolPolicies(context);
    return policies
      .filter((policy) => !isAsMade(policy, context))
      .map((policy) => {
        const { schema, table, name, using, check } = policy;
        return foundIn(
          context,
          this.rule,
          `${schema}.${table}, policy ${name}`,
          `policy ${name} on ${schema}.${table} is not as this tool made it: what it holds apart is not known`,
          { sql: madeAgain(policy, context), facts: { policy: name, using, check } },
        );
      });
  },
};

function readToolPolicies({ session, tenancy, ...context }: RuleContext): Promise<ToolPolicy[]> {
  return session.rows<ToolPolicy>(sql`
    select t.schema, t.name as table, pg_get_userbyid(t.owner)::text as owner, p.polname::text as name, p.polpermissive as permissive,
           p.polcmd::text as command, array(select case when r.oid = 0 then 'public' else pg_get_userbyid(r.oid)::text end from unnest(p.polroles) r (oid)) as roles,
           pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check,
           tenantctl.tenant_condition(${tenancy.column}, t.type, ${tenancy.setting}, t.schema) as tenant, tenantctl.fleet_condition() as fleet
      from ${tenantTables({ session, tenancy, ...context })} t join pg_policy p on p.polrelid = t.oid
     where p.polname in ('tenantctl_tenant', 'tenantctl_fleet', 'tenantctl_guard') order by 1, 2, 4`);
}

/** The condition of a policy, and whom it speaks to. */
function wanted(
  { name, owner, tenant, fleet }: ToolPolicy,
  { tenancy }: RuleContext,
): { condition: string; roles: string[]; permissive: boolean } {
  if (name === 'tenantctl_fleet') return { condition: fleet, roles: [owner], permissive: true };
  if (name === 'tenantctl_tenant') return { condition: tenant, roles: ['public'], permissive: true };
  return { condition: `(${fleet}) or (${tenant})`, roles: [tenancy.appRole, owner], permissive: false };
}

function isAsMade(policy: ToolPolicy, context: RuleContext): boolean {
  const { condition, roles, permissive } = wanted(policy, context);
  return (
    policy.permissive === permissive &&
    policy.command === '*' &&
    [...new Set(policy.roles)].toSorted().join() === [...new Set(roles)].toSorted().join() &&
    [policy.using, policy.check].every((text) => text !== null && plain(text) === plain(condition))
  );
}

/**
 * A condition without what the server adds when it prints one: brackets, blanks, casts, and schemas of its own. What is
 * compared by AND comes in any order, and the administrator's scope with a SELECT or without, as older versions of this
 * tool wrote them.
 */
function plain(condition: string): string {
  const bare = condition
    .replaceAll(CAST, '')
    .toLowerCase()
    .replaceAll('pg_catalog.', '')
    .replaceAll(" in ('active', 'moving')", " = any (array['active', 'moving'])")
    .replaceAll(/\bend as \w+/g, 'end')
    .replaceAll(/[\s()"]/g, '')
    .replaceAll('selectsession_user', 'session_user');
  return bare
    .split(/(?<=where)|and(?=home\.|quote_ident)/)
    .toSorted()
    .join(' ');
}

const CAST =
  /\s*::\s*(?:character varying|double precision|timestamp with(?:out)? time zone|(?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))*)(?:\(\d+(?:, ?\d+)?\))?/g;

function madeAgain(policy: ToolPolicy, context: RuleContext): Sql[] {
  const { condition, roles, permissive } = wanted(policy, context);
  const [name, table] = [ident(policy.name), ident(policy.schema, policy.table)];
  const to = raw(roles.map((role) => (role === 'public' ? role : ident(role).text())).join(', '));
  const as = raw(permissive ? '' : ' as restrictive');
  const meant = raw(condition);
  return [
    sql`drop policy ${name} on ${table}`,
    sql`create policy ${name} on ${table}${as} for all to ${to} using (${meant}) with check (${meant})`,
  ];
}
