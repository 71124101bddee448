import { defineCommand } from '../command.js';

export const migrate = defineCommand({
  path: ['migrate'],
  summary: 'bring units to the newest migration, in waves',
  description:
    'Applies what each unit lacks, wave by wave. Interrupted or failed in part, the same command goes on where it stopped.',
  options: {
    to: { type: 'string', value: 'migration', summary: 'not further than this migration' },
    select: {
      type: 'list',
      value: 'selector',
      summary: 'only units of these tenants: field=value,field!=value',
    },
    concurrency: {
      type: 'integer',
      value: 'number',
      configEnv: 'TENANTCTL_ROLLOUT_CONCURRENCY',
      summary: 'how many units at a time',
    },
    allowEmpty: { type: 'boolean', summary: 'a selection that matches nothing is no error' },
  },
  examples: [
    { run: 'tenantctl migrate --dry-run', does: 'which units get which migrations, in which waves' },
    { run: "tenantctl migrate --select 'label.ring=canary'", does: 'the canaries only' },
    {
      run: 'tenantctl migrate --json --events events.ndjson',
      does: 'in a pipeline, with a record of every unit',
    },
  ],
  needs: 'fleet',
  changes: true,
});
