import type { Finding } from '../../core/finding.js';
import type { Rule } from '../../core/rule.js';
import { ident } from '../../pg/sql.js';
import { partitionReached } from './probes/partition-reached.js';
import type { Scene } from './scene.js';
import type { Relation } from './specimen/relation.js';

/** What lets rows through at a table, as far as the catalogs say, and the SQL against it. */
export function policyAdvice(scene: Scene, table: Relation, rule: Rule): Pick<Finding, 'hint' | 'facts'> {
  const role = ident(scene.role).text();
  const name = table.qualified;
  if (rule === partitionReached)
    return { hint: rule.remedy, facts: { sql: [`revoke all on ${name} from ${role}, public`] } };
  if (!table.rowSecurity)
    return {
      hint: table.tenanted
        ? 'Row-level security is off: enable and force it, with a policy on the tenant column.'
        : `It has no tenant column, and its rows belong to tenants by what they refer to. Give it the column with a migration.`,
      facts: {
        sql: [
          `alter table ${name} enable row level security`,
          `alter table ${name} force row level security`,
          ...toolPolicies(scene, table),
          ...narrow(scene, table),
        ],
      },
    };
  if (table.ownedByRole && !table.forced)
    return {
      hint: `${role} has the rights of the table's owner, whom row-level security does not hold unless it is forced.`,
      facts: { sql: [`alter table ${name} force row level security`] },
    };
  const policies = table.policies.map(brief).join(' | ');
  // A further policy would hold nobody whom policies do not bind, and stay behind as drift.
  if (policies === '')
    return {
      hint: `No policy of yours lets it in: ${role} has BYPASSRLS or is a superuser, or a policy of the tool was changed. The finding role-bypasses or tool-policy-drift has the statement that mends this too.`,
      facts: {},
    };
  return {
    hint: `Its policies: ${policies}. A restrictive one holds the application to its tenant whatever they say; a role with BYPASSRLS is held by none.`,
    facts: { sql: narrow(scene, table), policies: table.policies },
  };
}

function brief(policy: string): string {
  return policy.length > 160 ? `${policy.slice(0, 160)}…` : policy;
}

/** What this tool's policies ask for in a table of the pool. */
function conditionsFor(
  { conditions, schema, fleet }: Scene,
  table: Relation,
): { tenant: string; either: string } | null {
  const type = table.columns.find(({ name }) => name === fleet.settings.tenancy.column)?.type ?? '';
  const tenant = conditions.tenant.get(type);
  if (tenant === undefined || table.schema !== schema) return null;
  return { tenant, either: `(${conditions.fleet}) or (${tenant})` };
}

/** Those of this tool's policies that are not there: the tenant's own, and the one that lets the administrator in. */
function toolPolicies(scene: Scene, table: Relation): string[] {
  const found = conditionsFor(scene, table);
  if (found === null) return [];
  const { fleet } = scene.conditions;
  const owner = ident(table.owner).text();
  const own = table.toolPolicies.includes('tenantctl_tenant') || table.policies.length > 0;
  return [
    ...(own ? [] : policyAnew(table, 'tenantctl_tenant', '', found.tenant)),
    ...(table.toolPolicies.includes('tenantctl_fleet')
      ? []
      : policyAnew(table, 'tenantctl_fleet', `to ${owner}`, fleet)),
  ];
}

/** Several findings of one table may ask for it. */
function policyAnew(table: Relation, name: string, speaking: string, condition: string): string[] {
  const on = `${name} on ${table.qualified}`;
  return [
    `drop policy if exists ${on}`,
    `create policy ${on} ${speaking} using (${condition}) with check (${condition})`,
  ];
}

/** A restrictive policy on the tenant column, which also asks whether the tenant lives here and may work. */
function narrow(scene: Scene, table: Relation): string[] {
  const found = conditionsFor(scene, table);
  if (found === null || table.policies.length === 0) return [];
  const { appRole } = scene.fleet.settings.tenancy;
  const to = [ident(appRole).text(), ident(table.owner).text()].join(', ');
  return [
    ...policyAnew(table, 'tenantctl_guard', `as restrictive for all to ${to}`, found.either),
    // A role that does not inherit from the application's is not bound by what binds that one.
    ...(scene.role === appRole
      ? []
      : policyAnew(
          table,
          'tenant_only',
          `as restrictive for all to ${ident(scene.role).text()}`,
          found.tenant,
        )),
  ];
}
