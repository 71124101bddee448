import { defineCommand } from '../command.js';

export const provision = defineCommand({
  path: ['provision'],
  summary: 'make a tenant ready to use, or many of them',
  description:
    'Gives a tenant its home: place, role and grants, every migration, seed, hooks. When it fails or is interrupted, the same command goes on where it stopped.',
  arguments: {
    id: { summary: 'id of the tenant; left out with --from', optional: true },
  },
  options: {
    plan: {
      type: 'string',
      value: 'name',
      summary: 'plan of the configuration; it names tier, cluster and limits',
    },
    tier: {
      type: 'choice',
      value: 'tier',
      choices: ['pool', 'schema', 'database'],
      summary: 'tier, if the plan does not say',
    },
    cluster: {
      type: 'string',
      value: 'name',
      summary: 'cluster to live on; otherwise the one with most room',
    },
    pool: { type: 'string', value: 'name', summary: 'pool to live in; otherwise the one with most room' },
    tenantKey: { type: 'string', value: 'key', summary: 'value of the tenant column; otherwise a new uuid' },
    owner: { type: 'string', value: 'email', summary: 'whom to ask about this tenant' },
    label: { type: 'list', value: 'name=value', summary: 'label to select it by' },
    seed: { type: 'string', value: 'file', path: true, summary: 'SQL file run once in its new home' },
    from: {
      type: 'string',
      value: 'file',
      path: true,
      summary: 'many tenants from a CSV or NDJSON file; "-" is stdin',
    },
    concurrency: { type: 'integer', value: 'number', summary: 'how many at a time with --from' },
  },
  examples: [
    { run: 'tenantctl provision acme --plan pro', does: 'one tenant' },
    { run: 'tenantctl provision acme --tier schema --dry-run', does: 'what would be done' },
    {
      run: 'tenantctl provision --from tenants.csv',
      does: 'many: id,plan,tier,cluster,pool,tenantKey,owner,label.<name>',
    },
  ],
  needs: 'fleet',
  changes: true,
});
