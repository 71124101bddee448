import { defineCommand } from '../command.js';
import type { ArgumentSpecs } from '../option.js';
import { RUN_OPTIONS } from './migrate.js';

const RUN = {
  run: { summary: 'beginning of its id; default: the unfinished run, otherwise the latest', optional: true },
} as const satisfies ArgumentSpecs;

const { wait, junit } = RUN_OPTIONS;

export const runsList = defineCommand({
  path: ['runs', 'list'],
  summary: 'list runs, the newest first',
  options: { limit: { type: 'integer', value: 'number', default: 20, summary: 'how many' } },
  examples: [{ run: 'tenantctl runs list', does: 'when, by whom, how it ended' }],
  needs: 'fleet',
  changes: false,
});

export const runsShow = defineCommand({
  path: ['runs', 'show'],
  summary: 'show the report of a run as it stands',
  arguments: RUN,
  examples: [{ run: 'tenantctl runs show', does: 'the latest run: totals, waves, failures' }],
  needs: 'fleet',
  changes: false,
});

export const runsWatch = defineCommand({
  path: ['runs', 'watch'],
  summary: 'follow a run that another terminal drives',
  arguments: RUN,
  examples: [{ run: 'tenantctl runs watch', does: 'the same view as the terminal that drives it' }],
  needs: 'fleet',
  changes: false,
});

export const runsExplain = defineCommand({
  path: ['runs', 'explain'],
  summary: 'say why a run, its waves and its units are where they are',
  arguments: RUN,
  options: { unit: { type: 'string', value: 'unit', summary: 'only this unit, done or not' } },
  examples: [
    { run: 'tenantctl runs explain', does: 'what waits for what, what failed and why, what to type next' },
    { run: 'tenantctl runs explain --unit schema:acme', does: 'one unit' },
  ],
  needs: 'fleet',
  changes: false,
});

export const runsApprove = defineCommand({
  path: ['runs', 'approve'],
  summary: 'let a run pass on from the wave that waits for approval',
  arguments: RUN,
  examples: [
    { run: 'tenantctl runs approve --reason "error rate is flat"', does: 'the next wave may begin' },
  ],
  needs: 'fleet',
  changes: true,
});

export const runsPause = defineCommand({
  path: ['runs', 'pause'],
  summary: 'let what has begun end, and start nothing more',
  arguments: RUN,
  examples: [{ run: 'tenantctl runs pause --reason "incident 4711"', does: 'until `runs resume`' }],
  needs: 'fleet',
  changes: true,
});

export const runsResume = defineCommand({
  path: ['runs', 'resume'],
  summary: 'go on with a run that is paused, halted, waiting or was killed',
  arguments: RUN,
  options: { wait, junit },
  examples: [{ run: 'tenantctl runs resume --wait', does: 'go on, and wait at the gates' }],
  needs: 'fleet',
  changes: true,
});

export const runsRetry = defineCommand({
  path: ['runs', 'retry'],
  summary: 'try the failed units of a run again, and go on with it',
  arguments: RUN,
  options: { wait, junit },
  examples: [{ run: 'tenantctl runs retry', does: 'after the cause was repaired' }],
  needs: 'fleet',
  changes: true,
});

export const runsSkip = defineCommand({
  path: ['runs', 'skip'],
  summary: 'let a run pass a unit that needs surgery',
  arguments: { unit: { summary: 'the unit, such as schema:acme' }, ...RUN },
  examples: [
    {
      run: 'tenantctl runs skip schema:acme --reason "duplicates, ticket 42"',
      does: 'the next run finds it again',
    },
  ],
  needs: 'fleet',
  changes: true,
});

export const runsAbort = defineCommand({
  path: ['runs', 'abort'],
  summary: 'give a run up; what it applied stays',
  arguments: RUN,
  examples: [{ run: 'tenantctl runs abort --yes', does: 'another run may begin' }],
  needs: 'fleet',
  changes: true,
  confirms: { question: 'Give the run up? It cannot be resumed.' },
});
