import { defineCommand } from '../command.js';

export const list = defineCommand({
  path: ['list'],
  summary: 'list tenants',
  description:
    'Lists tenants in order of id. Deleted ones are left out unless the selector names them: --select status=deleted.',
  options: {
    select: { type: 'list', value: 'selector', summary: 'only these: field=value,field!=value' },
    limit: { type: 'integer', value: 'number', default: 100, summary: 'how many on one page' },
    after: { type: 'string', value: 'id', summary: 'begin after this tenant' },
  },
  examples: [
    {
      run: "tenantctl list --select 'tier=schema,plan!=free'",
      does: 'paying tenants with a schema of their own',
    },
    {
      run: 'tenantctl list --limit 1000 --json',
      does: 'a page for a program; data.next is the next --after',
    },
  ],
  needs: 'fleet',
  changes: false,
});
