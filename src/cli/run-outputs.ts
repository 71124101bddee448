import { appendFile } from 'node:fs/promises';
import { redact, redactDeep } from '../core/redact.js';
import type { RunPlan, RunReport } from '../core/report.js';
import type { Call, Outcome } from './command.js';
import { asFailure } from './failure.js';
import type { Io } from './io.js';
import { reportFile, type ReportFile } from './report-file.js';
import { repositoryPath } from './repository-path.js';
import { runFailure } from './run-failure.js';
import { runOutcome } from './run-outcome.js';

type Caller = Pick<Call, 'io' | 'emit' | 'global'>;

/**
 * Drives a run and tells it wherever it is to be told beside the terminal.
 * @param junit the file of `--junit`
 * @throws usage error `REPORT_UNWRITABLE` (exit 2) before anything is done
 */
export async function drivenRun(
  call: Caller,
  junit: string | undefined,
  drive: () => Promise<RunReport | { plan: RunPlan }>,
): Promise<Outcome> {
  const file = junit === undefined ? undefined : await reportFile('--junit', junit, call.io);
  const result = await drive().catch(async (error: unknown) => {
    if (file !== undefined) await publishError(error, call, file);
    throw error;
  });
  if (!('plan' in result)) await publishRun(result, call, file);
  return runOutcome(result);
}

/** Without a report the file of an earlier run would pass for this one's. */
async function publishError(error: unknown, call: Caller, junit: ReportFile): Promise<void> {
  const { code, message } = asFailure(error);
  const { junitError } = await import('../render/junit.js');
  await attempt(call, () => junit.write(junitError(code, redact(message))));
}

/** The run has happened: what cannot be written about it is a warning and changes nothing. */
async function publishRun(report: RunReport, call: Caller, junit: ReportFile | undefined): Promise<void> {
  const { io, global } = call;
  const clean = redactDeep(withShortPaths(report, io));
  const summary = io.env['GITHUB_STEP_SUMMARY'];
  if (junit !== undefined) {
    const { junitText } = await import('../render/junit.js');
    await attempt(call, () => junit.write(junitText(clean)));
  }
  if (summary) {
    const { jobSummary } = await import('../render/github.js');
    await attempt(call, () => appendFile(summary, jobSummary(clean, runFailure(clean)?.hint)));
  }
  // With `--events -` stderr belongs to the events alone.
  if (io.env['GITHUB_ACTIONS'] === 'true' && global.events !== '-') {
    const { failureAnnotations } = await import('../render/github.js');
    // GitHub's runner reads both streams, and stdout may have to stay one document.
    for (const line of failureAnnotations(clean.failures)) io.stderr.write(`${line}\n`);
  }
}

async function attempt({ emit }: Caller, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const message = `a report of the run was not written: ${error instanceof Error ? error.message : String(error)}`;
    emit({ type: 'notice', level: 'warning', code: 'REPORT_NOT_WRITTEN', message });
  }
}

function withShortPaths(report: RunReport, io: Io): RunReport {
  const failures = report.failures.map((failure) => {
    return failure.file === null ? failure : { ...failure, file: repositoryPath(failure.file, io) };
  });
  return { ...report, failures };
}
