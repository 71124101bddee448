import type { Finding } from '../../../core/finding.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { commandsOf, guardStatements, openClauses } from '../policies.js';

export const policyAlwaysTrue: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'policy-always-true',
    check: 'isolation',
    level: 'error',
    summary: 'A policy of a pool’s table is true for every row: it shows, or takes, the rows of all tenants.',
    explanation:
      'Permissive policies are joined by OR, so one that is true, or has `OR true` in it, takes the meaning of all others away. A restrictive policy that compares the tenant column keeps it harmless, and then it is not reported.',
    remedy:
      'Hold the table to the session’s tenant by a restrictive policy, or write the condition with the tenant column in every branch.',
    bad: `create policy everything on product using (true);`,
    good: `create policy everything on product
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
  },
  async find(context) {
    const findings: Finding[] = [];
    for (const clause of await openClauses(context)) {
      const { policy, part, text, condition } = clause;
      if (!condition.alwaysTrue) continue;
      const { schema, table, name } = policy;
      const commands = commandsOf(clause);
      const message = `policy ${name} on ${schema}.${table} is true for every row (${part}): the application may ${commands.join(', ')} the rows of all tenants`;
      const particulars = {
        sql: await guardStatements(context, policy),
        facts: { policy: name, part, condition: text, commands },
      };
      findings.push(foundIn(context, this.rule, `${schema}.${table}, policy ${name}`, message, particulars));
    }
    return findings;
  },
};
