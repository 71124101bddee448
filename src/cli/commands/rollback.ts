import { defineCommand } from '../command.js';
import { RUN_OPTIONS } from './migrate.js';

export const rollback = defineCommand({
  path: ['rollback'],
  summary: 'take migrations back with their down files, newest first, in waves',
  description:
    'Back to a migration, or exactly over what one run did. Files without a way back are named and refused before anything is changed.',
  options: {
    to: {
      type: 'string',
      value: 'migration',
      summary: 'back to this migration, which stays; 0 for before the first',
    },
    run: { type: 'string', value: 'run', summary: 'back over what this run did' },
    select: {
      type: 'list',
      value: 'selector',
      summary: 'only units of these tenants: field=value,field!=value',
    },
    ...RUN_OPTIONS,
  },
  examples: [
    {
      run: 'tenantctl rollback --run 3f2a9c1e --dry-run',
      does: 'what would be taken back, and what that throws away',
    },
    {
      run: 'tenantctl rollback --to 0013 --allow-data-loss --yes',
      does: 'the whole fleet back to migration 13',
    },
  ],
  needs: 'fleet',
  changes: true,
  confirms: { question: 'Take migrations back?' },
});
