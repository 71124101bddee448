import { defineCommand } from '../command.js';

export const suspend = defineCommand({
  path: ['suspend'],
  summary: 'refuse reads and writes of a tenant',
  arguments: { id: { summary: 'id of the tenant' } },
  examples: [
    { run: 'tenantctl suspend acme --reason "invoice overdue"', does: 'close acme; nothing is deleted' },
  ],
  needs: 'fleet',
  changes: true,
});
