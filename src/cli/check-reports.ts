import { type Baseline, type Debt, debtsOf, debtsWith } from '../core/baseline.js';
import type { Finding } from '../core/finding.js';
import type { CheckName } from '../core/rule.js';
import { TOOL_VERSION } from '../core/version.js';
import type { Unseen } from '../operations/check/unseen.js';
import type { CheckView } from '../render/check/check-view.js';
import { NO_DEBTS, baselineText, readBaseline, readBaselineIfAny } from './baseline-file.js';
import type { Call } from './command.js';
import type { CheckReports } from './commands/check.js';
import type { OptionValues } from './option.js';
import { type ReportFile, reportFile } from './report-file.js';
import { repositoryPath } from './repository-path.js';

export type CheckCaller = Pick<Call, 'io' | 'global' | 'signal'> & {
  options: OptionValues<CheckReports>;
  config: { file: string | null };
};

/** Where findings go beside the terminal; every file has been proved to be readable or writable. */
export interface Reports {
  /** What the baseline tolerates. */
  debts(check: CheckName): readonly Debt[];
  /** A new baseline is written, so nothing that is found is a failure. */
  writesBaseline: boolean;
  sarif: ReportFile | undefined;
  junit: ReportFile | undefined;
  newBaseline: ReportFile | undefined;
  /** What stood in the file before: what other checks have found stays. */
  before: Baseline;
}

/** @throws usage error (exit 2): `REPORT_UNWRITABLE`, `BASELINE_UNREADABLE` */
export async function openReports({ options, io }: CheckCaller): Promise<Reports> {
  const { sarif, junit, baseline, writeBaseline } = options;
  const open = (option: string, file: string | undefined) =>
    file === undefined ? undefined : reportFile(option, file, io);
  const known = baseline === undefined ? NO_DEBTS : await readBaseline('--baseline', baseline, io.cwd);
  return {
    debts: (check) => known.checks[check] ?? [],
    writesBaseline: writeBaseline !== undefined,
    sarif: await open('--sarif', sarif),
    junit: await open('--junit', junit),
    newBaseline: await open('--write-baseline', writeBaseline),
    before:
      writeBaseline === undefined
        ? NO_DEBTS
        : await readBaselineIfAny('--write-baseline', writeBaseline, io.cwd),
  };
}

/** Writes every report that was asked for, and the annotations that GitHub's runner reads. */
export async function publishCheck(
  view: CheckView,
  checked: readonly { check: CheckName; findings: readonly Finding[]; unseen: Unseen }[],
  reports: Reports,
  { io, global, config }: CheckCaller,
): Promise<void> {
  if (reports.sarif !== undefined) {
    const { checkSarif } = await import('../render/check/sarif.js');
    const configFile = repositoryPath(config.file ?? 'tenantctl.config.yaml', io);
    await reports.sarif.write(checkSarif(view, { toolVersion: TOOL_VERSION, configFile }));
  }
  if (reports.junit !== undefined) {
    const { checkJunit } = await import('../render/check/junit.js');
    await reports.junit.write(checkJunit(view));
  }
  if (reports.newBaseline !== undefined) {
    const { checks: before } = reports.before;
    const found = checked.map(({ check, findings, unseen }) => {
      const kept = (before[check] ?? []).filter(unseen);
      return [check, debtsWith(kept, debtsOf(findings))] as const;
    });
    const checks = { ...before, ...Object.fromEntries(found) };
    await reports.newBaseline.write(baselineText({ version: 1, checks }));
  }
  // With `--events -` stderr belongs to the events alone.
  if (io.env['GITHUB_ACTIONS'] === 'true' && global.events !== '-') {
    const { findingAnnotations } = await import('../render/check/annotations.js');
    // GitHub's runner reads both streams, and stdout may have to stay one document.
    for (const line of findingAnnotations(view.findings)) io.stderr.write(`${line}\n`);
  }
}
