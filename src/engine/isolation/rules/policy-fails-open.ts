import type { Finding } from '../../../core/finding.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { commandsOf, guardStatements, openClauses } from '../policies.js';

export const policyFailsOpen: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'policy-fails-open',
    check: 'isolation',
    level: 'error',
    summary: 'A policy admits every row when the session has set no tenant.',
    explanation:
      'A forgotten setting must show nothing. A condition such as `setting IS NULL OR …`, or one that falls back on the column itself, shows everything to the one session that forgot it: a job, a console, a pooled connection after its transaction.',
    remedy:
      'Hold the table to the session’s tenant by a restrictive policy, or write the condition with the tenant column in every branch.',
    bad: `create policy lenient on tenant_settings
  using (nullif(current_setting('app.tenant_id', true), '') is null
    or tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    good: `create policy strict on tenant_settings
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
  },
  async find(context) {
    const findings: Finding[] = [];
    for (const clause of await openClauses(context)) {
      const { policy, part, text, condition } = clause;
      if (condition.alwaysTrue || !condition.failsOpen) continue;
      const { schema, table, name } = policy;
      const commands = commandsOf(clause);
      const message = `policy ${name} on ${schema}.${table} is true for a session that has set no tenant (${part}): whoever forgets the setting may ${commands.join(', ')} the rows of all tenants`;
      const particulars = {
        sql: await guardStatements(context, policy),
        facts: { policy: name, part, condition: text, commands },
      };
      findings.push(foundIn(context, this.rule, `${schema}.${table}, policy ${name}`, message, particulars));
    }
    return findings;
  },
};
