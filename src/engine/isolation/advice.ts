import type { Finding } from '../../core/finding.js';
import type { Rule } from '../../core/rule.js';
import { ident, literal } from '../../pg/sql.js';
import { partitionReached } from './probes/partition-reached.js';
import type { Scene } from './scene.js';
import type { Relation } from './specimen/relation.js';

/** What lets rows through at a table, as far as the catalogs say, and the SQL against it. */
export function policyAdvice(scene: Scene, table: Relation, rule: Rule): Pick<Finding, 'hint' | 'facts'> {
  const role = ident(scene.fleet.settings.tenancy.appRole).text();
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

/** A restrictive policy on the tenant column. */
function narrow({ fleet, schema }: Scene, table: Relation): string[] {
  const { column, setting, appRole } = fleet.settings.tenancy;
  const type = table.columns.find(({ name }) => name === column)?.type;
  if (type === undefined || table.schema !== schema) return [];
  const condition = `${ident(column).text()} = nullif(current_setting(${literal(setting)}, true), '')::${type}`;
  const permissive =
    table.policies.length === 0 ? [`create policy tenant on ${table.qualified} using (${condition})`] : [];
  return [
    ...permissive,
    `create policy tenant_only on ${table.qualified} as restrictive for all to ${ident(appRole).text()} using (${condition})`,
  ];
}
