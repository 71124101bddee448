import { defineCommand } from '../command.js';

export const show = defineCommand({
  path: ['show'],
  summary: 'show one tenant with its placement, ledger and history',
  arguments: { id: { summary: 'id of the tenant' } },
  examples: [{ run: 'tenantctl show acme', does: 'everything that is known of acme' }],
  needs: 'fleet',
  changes: false,
});
