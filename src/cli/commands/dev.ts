import { defineCommand } from '../command.js';

export const devUp = defineCommand({
  path: ['dev', 'up'],
  summary: 'start the local server, if it is not running',
  examples: [{ run: 'tenantctl dev up', does: 'a PostgreSQL of your own under .tenantctl/' }],
  needs: 'nothing',
  changes: false,
});

export const devDown = defineCommand({
  path: ['dev', 'down'],
  summary: 'stop the local server; its data stays',
  examples: [{ run: 'tenantctl dev down', does: 'stop it; the next command that wants it starts it again' }],
  needs: 'nothing',
  changes: false,
});

export const devStatus = defineCommand({
  path: ['dev', 'status'],
  summary: 'say whether the local server is running, and where',
  examples: [{ run: 'tenantctl dev status', does: 'process id, port, version and data directory' }],
  needs: 'nothing',
  changes: false,
});

export const devUrl = defineCommand({
  path: ['dev', 'url'],
  summary: "print the local server's connection URL, with its password",
  options: {
    database: { type: 'string', value: 'name', default: 'postgres', summary: 'database to connect to' },
    superuser: {
      type: 'boolean',
      summary: "the superuser's URL; otherwise that of the fleet's admin, who is none",
    },
  },
  examples: [{ run: 'psql "$(tenantctl dev url --database tenantctl)"', does: 'look into the catalog' }],
  needs: 'nothing',
  changes: false,
});

export const devFaultPoints = defineCommand({
  path: ['dev', 'fault-points'],
  summary: 'list the steps at which --fail-at can kill a command',
  description:
    'With TENANTCTL_REHEARSAL=1 every command that changes something takes --fail-at <point> and kills itself there, so that crash and recovery can be rehearsed.',
  examples: [
    {
      run: 'TENANTCTL_REHEARSAL=1 tenantctl provision acme --tier pool --fail-at provision.created',
      does: 'die half-way; the same command without --fail-at repairs it',
    },
  ],
  needs: 'nothing',
  changes: false,
});
