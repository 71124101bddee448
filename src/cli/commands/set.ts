import { defineCommand } from '../command.js';

export const set = defineCommand({
  path: ['set'],
  summary: 'change plan, owner, labels or pinned version of a tenant',
  description:
    'Changes what is known of a tenant. A plan of another tier is a move: see promote. A pinned tenant is left at its migration by every run until it is unpinned.',
  arguments: { id: { summary: 'id of the tenant' } },
  options: {
    plan: { type: 'string', value: 'name', summary: 'another plan of the same tier' },
    owner: { type: 'string', value: 'email', summary: 'whom to ask about this tenant' },
    label: { type: 'list', value: 'name=value', summary: 'label to add or to change' },
    unlabel: { type: 'list', value: 'name', summary: 'label to take away' },
    pin: { type: 'string', value: 'migration', summary: 'hold it at this migration' },
    unpin: { type: 'boolean', summary: 'hold it no longer' },
  },
  examples: [
    { run: 'tenantctl set acme --label ring=canary', does: 'let acme go first in the next run' },
    {
      run: 'tenantctl set acme --pin 12 --reason "waits for its own release"',
      does: 'hold acme at migration 12',
    },
  ],
  needs: 'fleet',
  changes: true,
});
