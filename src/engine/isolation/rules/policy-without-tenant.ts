import type { Finding } from '../../../core/finding.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { commandsOf, guardStatements, openClauses } from '../policies.js';

export const policyWithoutTenant: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'policy-without-tenant',
    check: 'isolation',
    level: 'error',
    summary:
      'A policy does not hold rows to the session’s tenant: it compares something else, or only in one of its branches.',
    explanation:
      'A condition holds a table to a tenant when every way of being true compares the tenant column with what the session says. A constant tenant, a flag of the row, or a second branch behind OR admits rows of others; a new row that is not held to it can be given to another tenant. Where the condition asks another table, only a probe can tell, and it is a warning.',
    remedy:
      'Hold the table to the session’s tenant by a restrictive policy, or write the condition with the tenant column in every branch.',
    bad: `create policy recent on customer_contact for insert with check (customer_id > 0);`,
    good: `create policy recent on customer_contact for insert
  with check (customer_id > 0 and tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
  },
  async find(context) {
    const findings: Finding[] = [];
    for (const clause of await openClauses(context)) {
      const { policy, part, text, condition } = clause;
      if (condition.alwaysTrue || condition.failsOpen) continue;
      const { schema, table, name } = policy;
      const commands = commandsOf(clause);
      const message = `policy ${name} on ${schema}.${table} does not hold rows to the tenant (${part}): the application may ${commands.join(', ')} rows of other tenants that meet ${text}`;
      const level: Finding['level'] = condition.asksElsewhere ? 'warning' : 'error';
      const particulars = {
        level,
        sql: await guardStatements(context, policy),
        facts: { policy: name, part, condition: text, commands },
      };
      findings.push(foundIn(context, this.rule, `${schema}.${table}, policy ${name}`, message, particulars));
    }
    return findings;
  },
};
