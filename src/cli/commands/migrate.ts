import { defineCommand } from '../command.js';
import type { OptionSpecs } from '../option.js';

/** What every verb that drives a run in waves takes. */
export const RUN_OPTIONS = {
  concurrency: {
    type: 'integer',
    value: 'number',
    configEnv: 'TENANTCTL_ROLLOUT_CONCURRENCY',
    summary: 'how many units at a time',
  },
  wait: {
    type: 'boolean',
    summary:
      'stay until approval, bake time or the time window let the run go on, instead of leaving with exit 10',
  },
  allowDataLoss: { type: 'boolean', summary: 'agree that down files drop data' },
  junit: {
    type: 'string',
    value: 'file',
    path: true,
    summary: 'write the report of the run as JUnit XML, also when it fails',
  },
} as const satisfies OptionSpecs;

export const migrate = defineCommand({
  path: ['migrate'],
  summary: 'bring units to the newest migration, in waves',
  description:
    'Applies what each unit lacks, wave by wave, within the failure budget. Interrupted, halted or failed in part, the same command goes on where it stopped.',
  options: {
    to: { type: 'string', value: 'migration', summary: 'not further than this migration' },
    select: {
      type: 'list',
      value: 'selector',
      summary: 'only units of these tenants: field=value,field!=value',
    },
    wave: {
      type: 'string',
      value: 'name',
      summary: 'stop after this wave; the same command without it goes on',
    },
    onFailure: {
      type: 'choice',
      choices: ['halt', 'continue', 'rollback'],
      value: 'policy',
      configEnv: 'TENANTCTL_ROLLOUT_ON_FAILURE',
      summary: 'what happens when the failure budget is spent',
    },
    contract: { type: 'boolean', summary: 'let contract-phase files run, where every unit has their expand' },
    ...RUN_OPTIONS,
    planOut: {
      type: 'string',
      value: 'file',
      path: true,
      summary: 'write the plan to a file and change nothing',
    },
    planFile: {
      type: 'string',
      value: 'file',
      path: true,
      summary: 'do exactly what a saved plan says, unless the fleet or the files have changed since',
    },
    allowOpening: {
      type: 'boolean',
      summary:
        'agree that pool tables are opened again which the configuration only observes: their tenants reach the rows of all others',
    },
    allowEmpty: { type: 'boolean', summary: 'a selection that matches nothing is no error' },
  },
  examples: [
    { run: 'tenantctl migrate --dry-run', does: 'which units get which migrations, in which waves' },
    { run: "tenantctl migrate --select 'label.ring=canary'", does: 'the canaries only' },
    {
      run: 'tenantctl migrate --plan-out plan.json',
      does: 'a plan for review; --plan-file plan.json applies it',
    },
    { run: 'tenantctl migrate --wait', does: 'through all waves, waiting at their gates' },
    {
      run: 'tenantctl migrate --json --events events.ndjson --junit junit.xml',
      does: 'in a pipeline, with a record of every unit and a report that its pages show',
    },
  ],
  needs: 'fleet',
  changes: true,
});
