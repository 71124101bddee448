import { defineCommand } from '../command.js';

export const uninstall = defineCommand({
  path: ['uninstall'],
  summary: 'remove what this tool has put into the fleet, and nothing of the application',
  description:
    'Removes schema tenantctl from every database of the fleet, templates, marks and, last of all, the catalog. Homes of tenants stay with their data, roles and rights, and row-level security stays enabled and forced: policies that looked at the local state are replaced by the plain tenant condition. Refused while runs, moves, offboardings or holds are open, or tenants are suspended. Killed or interrupted, the same call goes on.',
  examples: [
    { run: 'tenantctl uninstall --dry-run', does: 'what would go, what stays and why, and what is lost' },
    { run: 'tenantctl uninstall --confirm uninstall', does: 'without a question, from a script' },
  ],
  // What is left after a crash in the last step is no catalog any more.
  needs: 'config',
  changes: true,
  confirms: {
    question: 'Remove tenantctl from the whole fleet? `--dry-run` lists what goes.',
    word: 'uninstall',
  },
});
