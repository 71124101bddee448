import { groupBy } from '../core/group-by.js';
import type { RunReport, UnitFailure, WaveReport } from '../core/report.js';
import { withoutUnit } from './failures-text.js';
import { counted } from '../core/counted.js';
import { firstLine, plainLines } from './line.js';
import { versionText } from './tenant-text.js';
import { element, type Xml, xmlDocument } from './xml.js';

const LONGEST_MESSAGE = 300;
/** One failure may quote a whole statement, and a thousand units fail by the same one. */
const LONGEST_TEXT = 4_000;
const TEXTS_OF_A_SUITE = 100;

interface Suite {
  name: string;
  cases: Xml[];
  failures: number;
  skipped: number;
  /** What its units took together, as the time of a suite is that of its cases. */
  durationMs?: number;
}

/**
 * A run as JUnit XML, as Jenkins and GitLab read it: a suite a wave, a case for each unit that failed or was
 * left out, and one case for all that succeeded. Viewers list failures one by one, compare cases by name
 * from run to run and do nothing with those that pass; a case for each of 10,000 would only make the file
 * large (GitLab takes 30 MB for all reports of a pipeline).
 */
export function junitText(report: RunReport): string {
  const { kind, to, durationMs } = report;
  const suites = suitesOf(report);
  const sum = (of: (suite: Suite) => number) => suites.reduce((total, suite) => total + of(suite), 0);
  const attributes = {
    name: `tenantctl ${kind}${to === null ? '' : ` to ${versionText(to)}`}`,
    tests: sum(({ cases }) => cases.length),
    failures: sum(({ failures }) => failures),
    errors: 0,
    skipped: sum(({ skipped }) => skipped),
    time: seconds(durationMs),
  };
  return xmlDocument(element('testsuites', attributes, suites.map(suiteElement)));
}

/** JUnit XML for a run that ended without a report: one case, in error. */
export function junitError(code: string, message: string): string {
  const said = { message: firstLine(message).slice(0, LONGEST_MESSAGE), type: code };
  const error = element('error', said, plainLines(message).join('\n').slice(0, LONGEST_TEXT));
  const counts = { tests: 1, failures: 0, errors: 1, skipped: 0 };
  const one = element('testcase', { classname: 'tenantctl.run', name: 'the run' }, [error]);
  const suite = element('testsuite', { name: 'run', ...counts }, [one]);
  return xmlDocument(element('testsuites', { name: 'tenantctl', ...counts }, [suite]));
}

function suitesOf(report: RunReport): Suite[] {
  const { kind, waves, failures, skipped, totals } = report;
  const byWave = groupBy(failures, ({ wave }) => waves.find(({ name }) => name === wave)?.name ?? null);
  const className = (suite: string) => `tenantctl.${kind}.${suite}`;
  const suites = waves.map((wave) =>
    waveSuite(kind, wave, className(wave.name), byWave.get(wave.name) ?? []),
  );
  const strays = byWave.get(null) ?? [];
  if (strays.length > 0) suites.push(failureSuite('outside waves', className('outside'), strays));
  if (skipped.length > 0) {
    const cases = skipped.map(({ unit, reason }) => skippedCase(className('left-out'), unit, reason));
    suites.push({ name: 'left out', cases, failures: 0, skipped: cases.length });
  }
  // A file without a case is an error to Jenkins.
  if (totals.current > 0 || suites.length === 0) {
    const cases = [passedCase(className('current'), 'units that were there already')];
    suites.push({ name: 'already there', cases, failures: 0, skipped: 0 });
  }
  return suites;
}

function waveSuite(
  kind: RunReport['kind'],
  wave: WaveReport,
  className: string,
  failures: readonly UnitFailure[],
): Suite {
  const suite = failureSuite(`wave ${wave.name}`, className, failures);
  // Names without numbers, so that a case has a history.
  if (wave.succeeded > 0) suite.cases.push(passedCase(className, 'units that succeeded'));
  const others = wave.units - wave.succeeded - wave.failed;
  const back = wave.status === 'rolled-back';
  if (others > 0 && back && kind === 'rollback') {
    suite.cases.push(passedCase(className, 'units that were rolled back'));
  } else if (others > 0) {
    const name = back ? 'units that were rolled back' : 'units that were not visited';
    suite.cases.push(skippedCase(className, name, counted(others, 'unit')));
    suite.skipped += 1;
  }
  return { ...suite, durationMs: wave.durationMs };
}

function failureSuite(name: string, className: string, failures: readonly UnitFailure[]): Suite {
  const cases = failures.map((failure, at) => failedCase(className, failure, at < TEXTS_OF_A_SUITE));
  return { name, cases, failures: cases.length, skipped: 0 };
}

function suiteElement({ name, cases, failures, skipped, durationMs }: Suite): Xml {
  const time = durationMs === undefined ? undefined : seconds(durationMs);
  return element('testsuite', { name, tests: cases.length, failures, errors: 0, skipped, time }, cases);
}

function failedCase(classname: string, failure: UnitFailure, whole: boolean): Xml {
  const { unit, message, migration, sqlstate, code, file } = failure;
  const said = withoutUnit(message, unit).slice(0, LONGEST_TEXT);
  const attributes = {
    message: `${migration === null ? '' : `${migration}: `}${firstLine(said)}`.slice(0, LONGEST_MESSAGE),
    type: sqlstate ?? code,
  };
  const text = whole ? plainLines(said).join('\n') : '';
  return element('testcase', { classname, name: unit, file: file ?? undefined }, [
    element('failure', attributes, text),
  ]);
}

function skippedCase(classname: string, name: string, reason: string): Xml {
  return element('testcase', { classname, name }, [element('skipped', { message: firstLine(reason) })]);
}

function passedCase(classname: string, name: string): Xml {
  return element('testcase', { classname, name });
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(3);
}
