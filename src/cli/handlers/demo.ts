import { usageError } from '../../core/errors.js';
import type { Call, Outcome } from '../command.js';
import type { demo as declaration } from '../commands/demo.js';
import { Demo } from '../demo/demo.js';
import { demoFolder, enterFolder } from '../demo/folder.js';
import { demoReport, demoText } from '../demo/report.js';
import type { DemoStep, StepReport } from '../demo/step.js';
import { STEPS } from '../demo/steps.js';

/** Tells the story step by step; whatever happens, no server stays behind. */
export default async function handle(call: Call<typeof declaration>): Promise<Outcome> {
  refuseOtherFleets(call);
  const folder = demoFolder(call.io.cwd);
  const leave = await enterFolder(folder);
  const demo = new Demo(folder, call);
  const steps: StepReport[] = [];
  try {
    for (const [index, step] of STEPS.entries()) steps.push(await tell(demo, step, index + 1));
  } finally {
    await demo.stop().finally(leave);
  }
  const report = demoReport(folder, steps);
  return { data: report, text: () => demoText(report) };
}

async function tell(demo: Demo, step: DemoStep, n: number): Promise<StepReport> {
  demo.signal.throwIfAborted();
  demo.narrator.begin(n, STEPS.length, step);
  const began = performance.now();
  const result = await step.run(demo);
  const durationMs = Math.round(performance.now() - began);
  demo.narrator.done(durationMs);
  return { name: step.name, title: step.title, durationMs, ...result };
}

/** A variable may stand in the environment for other commands; a flag was meant for this one. */
function refuseOtherFleets({ global, io }: Call<typeof declaration>): void {
  const flag = global.catalog === undefined ? '--config' : '--catalog';
  if (global.catalog === undefined && (global.config ?? '') === (io.env['TENANTCTL_CONFIG'] ?? '')) return;
  throw usageError('DEMO_FLEET', `demo runs on a fleet of its own and takes no ${flag}.`, {
    hint: 'Leave it out. On your own fleet, begin with: tenantctl init',
    facts: { option: flag },
  });
}
