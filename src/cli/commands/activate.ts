import { defineCommand } from '../command.js';

export const activate = defineCommand({
  path: ['activate'],
  summary: 'allow reads and writes of a suspended tenant again',
  arguments: { id: { summary: 'id of the tenant' } },
  examples: [{ run: 'tenantctl activate acme --ticket SUP-812', does: 'open acme again' }],
  needs: 'fleet',
  changes: true,
});
