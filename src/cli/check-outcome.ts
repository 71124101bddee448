import { isAbsolute } from 'node:path';
import { tolerable, weigh } from '../core/baseline.js';
import { TenantctlError } from '../core/errors.js';
import { type Finding, worstFirst } from '../core/finding.js';
import { redactDeep } from '../core/redact.js';
import type { CheckName } from '../core/rule.js';
import { RULES } from '../operations/check/rules.js';
import type { Unseen } from '../operations/check/unseen.js';
import type { Tally } from '../operations/tally.js';
import type { Colors } from '../render/colors.js';
import { checkText } from '../render/check/check-text.js';
import type { CheckView } from '../render/check/check-view.js';
import { counted } from '../core/counted.js';
import { type CheckCaller, type Reports, openReports, publishCheck } from './check-reports.js';
import type { Outcome } from './command.js';
import { findingsFailure } from './findings-failure.js';
import { given } from './given.js';
import type { Io } from './io.js';
import { repositoryPath } from './repository-path.js';
import { untilStopped } from './until-stopped.js';

/** What one check has found. */
export interface Checked {
  check: CheckName;
  findings: readonly Finding[];
  /** How much was looked at, on one line. */
  scope: string;
  /** What the check says beside its findings; stands in `--json` as it is. */
  data: Record<string, unknown>;
  /** Could it not tell whether this debt is still there? */
  unseen: Unseen;
}

/** A check that is still to be made. */
export interface Making {
  check: CheckName;
  look: (tally: Tally) => Promise<Checked>;
}

/**
 * Makes checks one after the other, and tells what they have found wherever it is to be told. Ended early, it tells what the
 * checks that came to their end have found, and how far the others came; a report that is not whole is not written.
 * @throws usage error (exit 2) for files that cannot be read or written, before anything is looked at
 */
export async function checkOutcome(call: CheckCaller, makings: readonly Making[]): Promise<Outcome> {
  const reports = await openReports(call);
  const { checked, failure: stopped } = await makeAll(call, makings);
  const view = viewOf(checked, stopped === undefined, reports, call);
  if (stopped === undefined) await publishCheck(view, checked, reports, call);
  const { findings, known, paid } = view;
  const data = { findings, known, paid, ...Object.assign({}, ...checked.map((one) => one.data)) };
  const failure = stopped ?? findingsFailure(judged(findings, reports), 'check');
  // Where no check came to its end there is nothing to say.
  const text = (colors: Colors) => (checked.length === 0 ? '' : checkText(view, colors));
  return { data, text, ...given({ failure }) };
}

async function makeAll({ signal, io }: CheckCaller, makings: readonly Making[]) {
  const checked: Checked[] = [];
  for (const { check, look } of makings) {
    const { value, failure } = await untilStopped(signal, look);
    if (value === undefined) return { checked, failure: stoppedAt(check, checked, failure) };
    checked.push({ ...value, findings: tidied(value.findings, io) });
  }
  return { checked, failure: undefined };
}

/** How far all of them have come. */
function stoppedAt(
  check: CheckName,
  checked: readonly Checked[],
  { code, exit, message, facts, cause }: TenantctlError,
): TenantctlError {
  const done = checked.map((one) => one.check);
  const whole = done.length === 0 ? '' : ` To its end: ${done.join(', ')}.`;
  return new TenantctlError(code, exit, `check ${check}: ${message}${whole}`, {
    facts: { ...facts, check, done },
    cause,
  });
}

function viewOf(checked: readonly Checked[], whole: boolean, reports: Reports, call: CheckCaller): CheckView {
  const weighed = checked.map(({ check, findings, unseen }) => weigh(findings, reports.debts(check), unseen));
  return {
    findings: worstFirst(weighed.flatMap(({ findings }) => findings)),
    known: weighed.flatMap(({ known }) => known),
    paid: weighed.flatMap(({ paid }) => paid),
    whole,
    rules: checked.flatMap(({ check }) => RULES[check]),
    scope: [...checked.map(({ check, scope }) => `${check}: ${scope}`), ...writtenLine(checked, call)],
  };
}

/** A baseline that is being written takes in what is found, but for what no baseline may tolerate. */
function judged(findings: readonly Finding[], { writesBaseline }: Reports): readonly Finding[] {
  return writesBaseline ? findings.filter((finding) => !tolerable(finding)) : findings;
}

/** Exit 0 beside errors is understood only by whoever is told that they are debts from now on. */
function writtenLine(checked: readonly Checked[], { options, signal }: CheckCaller): string[] {
  if (options.writeBaseline === undefined || signal.aborted) return [];
  const debts = checked.flatMap(({ findings }) => findings.filter(tolerable));
  return [`baseline: ${counted(debts.length, 'finding')} written to ${options.writeBaseline}`];
}

/** Findings as the reader knows them: without secrets, files relative to the repository. */
function tidied(findings: readonly Finding[], io: Io): Finding[] {
  return redactDeep(findings).map(({ where, facts, ...finding }) => ({
    ...finding,
    where: isAbsolute(where) ? repositoryPath(where, io) : where,
    facts: facts.file === undefined ? facts : { ...facts, file: repositoryPath(facts.file, io) },
  }));
}
