import { defineCommand } from '../command.js';

export const demo = defineCommand({
  path: ['demo'],
  summary: 'watch a fleet come to life on a PostgreSQL of its own',
  description:
    'Makes a fleet of some hundred tenants in .tenantctl/demo/, on a local server that it starts and stops: provision, migrate, isolate, suspend, survive a crash. It needs no configuration and touches nothing else; the fleet stays there for you to try more. Done again, it begins anew.',
  examples: [
    { run: 'tenantctl demo', does: 'the whole story, explained as it goes' },
    { run: 'tenantctl demo --json', does: 'what each step did, as data' },
  ],
  needs: 'nothing',
  changes: false,
});
