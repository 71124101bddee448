import { table } from '../../render/table.js';
import type { DemoFolder } from './folder.js';
import { HELD } from './leave.js';
import { MOVER } from './promote.js';
import type { StepReport } from './step.js';

export interface DemoReport {
  folder: string;
  config: string;
  steps: StepReport[];
  durationMs: number;
  /** Commands to try on the fleet that is left. */
  next: { run: string; does: string }[];
  /** Stops the server that those start. */
  stop: string;
}

export function demoReport({ path, shownConfig }: DemoFolder, steps: StepReport[]): DemoReport {
  const run = (words: string) => `npx tenantctl ${words} -c ${shownConfig}`;
  return {
    folder: path,
    config: shownConfig,
    steps,
    durationMs: steps.reduce((sum, { durationMs }) => sum + durationMs, 0),
    next: [
      { run: `${run('list')} --select tier=database`, does: 'the tenants with a database of their own' },
      { run: run('provision your-company --plan pro'), does: 'one more, in a schema of its own' },
      {
        run: run(`certificate ${HELD}`),
        does: 'what was deleted of a tenant that left, and what may still hold it',
      },
      {
        run: run(`moves undo ${MOVER} --yes`),
        does: 'back into the pool, with everything it has written since',
      },
    ],
    stop: run('dev down'),
  };
}

export function demoText({ steps, durationMs, next, stop }: DemoReport): string {
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  const rows = steps.map(({ name, did, durationMs: ms }) => [name, did, seconds(ms)]);
  const commands = next.flatMap(({ run, does }) => [`  ${run}`, `      ${does}`]);
  return [
    table(['step', 'what', 'seconds'], [...rows, ['total', '', seconds(durationMs)]]),
    '',
    'The fleet is still there; its server is stopped and starts again by itself. Try next:',
    '',
    ...commands,
    '',
    `Afterwards: ${stop}`,
  ].join('\n');
}
