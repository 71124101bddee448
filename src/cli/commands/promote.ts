import { defineCommand } from '../command.js';

export const promote = defineCommand({
  path: ['promote'],
  summary: 'move a tenant to another tier, pool or cluster while it is written to',
  description:
    'Up, down or sideways. Rows are copied while the tenant writes, its writes are followed, every row is compared, and writes wait only for the cut-over. The old copy is kept for the grace period. Interrupted or killed, the same command goes on.',
  arguments: { id: { summary: 'id of the tenant' } },
  options: {
    to: {
      type: 'choice',
      choices: ['pool', 'schema', 'database'],
      value: 'tier',
      summary: 'the tier of its new home; required',
    },
    cluster: { type: 'string', value: 'name', summary: 'another cluster than the one it is on' },
    pool: { type: 'string', value: 'name', summary: 'a certain pool' },
    method: {
      type: 'choice',
      choices: ['auto', 'atomic', 'online', 'offline'],
      value: 'method',
      default: 'auto',
      summary:
        'atomic: in one transaction of one database; online: while it writes; offline: with its writes held; auto: atomic for few rows, otherwise online',
    },
    grace: {
      type: 'duration',
      value: 'duration',
      configEnv: 'TENANTCTL_MOVES_GRACE',
      summary: 'how long the old copy is kept; 0s deletes it at once',
    },
    maxPause: {
      type: 'duration',
      min: 1,
      value: 'duration',
      configEnv: 'TENANTCTL_MOVES_MAX_PAUSE',
      summary:
        'how long writes may wait at the cut-over, which is given up and tried again rather than longer',
    },
    wait: {
      type: 'boolean',
      summary: 'keep trying the cut-over until it fits, instead of leaving with exit 7 after some tries',
    },
  },
  examples: [
    {
      run: 'tenantctl promote acme --to schema --dry-run',
      does: 'the steps, the pause, and what stands in the way',
    },
    { run: 'tenantctl promote acme --to database', does: 'a database of its own' },
    { run: 'tenantctl promote acme --to pool --pool eu-2', does: 'down into a pool, or over to another one' },
    { run: 'tenantctl promote acme --to schema --cluster eu-2 --wait', does: 'over to another cluster' },
  ],
  needs: 'fleet',
  changes: true,
});
