import type { Drive } from './drive.js';
import type { RunWave } from './job.js';

/** Asks the health checks of a wave for every unit that it has done; the first that does not hold is a breach. */
export async function checkWave(drive: Drive, wave: RunWave): Promise<void> {
  const { settings } = wave;
  if (settings === null || settings.checks.length === 0) return;
  const done = wave.all.flatMap((unit) => drive.job.surveyed.get(unit) ?? []);
  const problems = await drive.job.help.checkHealth(settings, done);
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  const reason = `health check of wave ${wave.name}: ${first.unit}: ${first.problem}${more}`;
  await drive.decide('check failed', reason);
  drive.breach(reason);
}
