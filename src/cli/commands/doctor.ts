import { defineCommand } from '../command.js';

export const doctor = defineCommand({
  path: ['doctor'],
  summary: 'look for what crashes, restored backups and people have left behind',
  description:
    'Compares the catalog with every home of every cluster, both ways, and looks for what was begun and stands still, for what nobody claims, for deleted tenants that a backup has brought back, and for limits of the servers. Changes nothing without --fix. Exit 8 on a finding of level error. What cannot be reached is a finding as well; when nothing else is amiss, exit 4.',
  options: {
    fix: {
      type: 'boolean',
      summary: 'mend what can be mended without removing a row of anybody; each in the audit log',
    },
    rebuildCatalog: {
      type: 'boolean',
      summary: 'first add to the catalog every tenant that it lacks and that a home knows',
    },
  },
  examples: [
    { run: 'tenantctl doctor', does: 'after a crash or a restored backup, and now and then from cron' },
    { run: 'tenantctl doctor --fix --dry-run', does: 'what would be mended, step by step' },
    { run: 'tenantctl doctor --rebuild-catalog --dry-run', does: 'what a lost catalog would have again' },
  ],
  needs: 'fleet',
  changes: true,
  looks: { unless: ['fix', 'rebuildCatalog'] },
  confirms: {
    question: 'Add to the catalog the tenants that it lacks, as their homes know them?',
    beside: ['rebuildCatalog'],
  },
});
