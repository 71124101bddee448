import { defineCommand } from '../command.js';

export const route = defineCommand({
  path: ['route'],
  summary: 'say where a tenant lives, without secrets',
  arguments: { id: { summary: 'id of the tenant' } },
  examples: [{ run: 'tenantctl route acme --json', does: 'host, database, schema, role and epoch of acme' }],
  needs: 'fleet',
  changes: false,
});
