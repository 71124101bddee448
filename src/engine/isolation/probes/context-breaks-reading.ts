import type { Rule } from '../../../core/rule.js';

export const contextBreaksReading: Rule = {
  name: 'context-breaks-reading',
  check: 'isolation',
  level: 'warning',
  summary: 'A session without a tenant gets an error instead of no rows.',
  explanation:
    "After its first use a setting reads '' and not NULL for the rest of the session, so a policy that casts it bare fails with 22P02 in every later transaction that forgets the context; one that reads it without a second argument fails with 42704 before its first use. Nothing leaks, but which of the three happens depends on who had the connection before.",
  remedy: "Write nullif(current_setting('app.tenant_id', true), '')::uuid in policies and defaults.",
  bad: `drop policy tenantctl_tenant on invoice;
create policy own on invoice using (tenant_id = current_setting('app.tenant_id', true)::uuid);`,
  good: `drop policy tenantctl_tenant on invoice;
create policy own on invoice using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
};
