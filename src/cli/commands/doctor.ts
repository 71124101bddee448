import { defineCommand } from '../command.js';

export const doctor = defineCommand({
  path: ['doctor'],
  summary: 'look for what crashes, restored backups and people have left behind',
  description:
    'Looks over the catalog, every cluster and every database for deleted tenants that a backup has brought back, remains of moves, deletions that stand still, legal holds of which a home does not know, and clocks that differ. Changes nothing without --fix. Exit 8 on a finding of level error; what cannot be reached is a finding as well.',
  options: {
    fix: {
      type: 'boolean',
      summary: 'mend what can be mended without removing a row of anybody; each in the audit log',
    },
  },
  examples: [
    { run: 'tenantctl doctor', does: 'after a backup was restored, and now and then from cron' },
    { run: 'tenantctl doctor --fix --dry-run', does: 'what would be mended' },
  ],
  needs: 'fleet',
  changes: true,
});
