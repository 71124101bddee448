import { tolerable, weigh } from '../core/baseline.js';
import { type TenantctlError, differenceError } from '../core/errors.js';
import { type Finding, worstFirst } from '../core/finding.js';
import { redactDeep } from '../core/redact.js';
import type { CheckName } from '../core/rule.js';
import { RULES } from '../operations/check/rules.js';
import { checkText } from '../render/check/check-text.js';
import type { CheckView } from '../render/check/check-view.js';
import { counted } from '../render/line.js';
import { type CheckCaller, openReports, publishCheck } from './check-reports.js';
import type { Outcome } from './command.js';
import { given } from './given.js';
import { repositoryPath } from './repository-path.js';

/** What one check has found. */
export interface Checked {
  check: CheckName;
  findings: readonly Finding[];
  /** How much was looked at, on one line. */
  scope: string;
  /** What the check says beside its findings; stands in `--json` as it is. */
  data: Record<string, unknown>;
}

/**
 * Makes checks, and tells what they have found wherever it is to be told.
 * @throws usage error (exit 2) for files that cannot be read or written, before anything is looked at
 */
export async function checkOutcome(
  call: CheckCaller,
  make: () => Promise<readonly Checked[]>,
): Promise<Outcome> {
  const reports = await openReports(call);
  const checked = (await make()).map((one) => ({ ...one, findings: tidied(one.findings, call) }));
  const weighed = checked.map(({ check, findings }) => weigh(findings, reports.debts(check)));
  const view: CheckView = {
    findings: worstFirst(weighed.flatMap(({ findings }) => findings)),
    known: weighed.flatMap(({ known }) => known),
    paid: weighed.flatMap(({ paid }) => paid),
    rules: checked.flatMap(({ check }) => RULES[check]),
    scope: [...checked.map(({ check, scope }) => `${check}: ${scope}`), ...writtenLine(checked, call)],
  };
  await publishCheck(view, checked, reports, call);
  const { findings, known, paid } = view;
  const data = { findings, known, paid, ...Object.assign({}, ...checked.map((one) => one.data)) };
  const failure = reports.writesBaseline ? undefined : failureOf(findings);
  return { data, text: (colors) => checkText(view, colors), ...given({ failure }) };
}

/** Exit 0 beside errors is understood only by whoever is told that they are debts from now on. */
function writtenLine(checked: readonly Checked[], { options }: CheckCaller): string[] {
  if (options.writeBaseline === undefined) return [];
  const debts = checked.flatMap(({ findings }) => findings.filter(tolerable));
  return [`baseline: ${counted(debts.length, 'finding')} written to ${options.writeBaseline}`];
}

/** Findings as the reader knows them: without secrets, files relative to the repository. */
function tidied(findings: readonly Finding[], { io }: CheckCaller): Finding[] {
  return redactDeep(findings).map((finding) => {
    const { file } = finding.facts;
    if (file === undefined) return finding;
    return { ...finding, facts: { ...finding.facts, file: repositoryPath(file, io) } };
  });
}

function failureOf(findings: readonly Finding[]): TenantctlError | undefined {
  const errors = findings.filter(({ level }) => level === 'error');
  if (errors.length === 0) return undefined;
  const rules = [...new Set(errors.map(({ rule }) => rule))];
  return differenceError('CHECK_FINDINGS', `${counted(errors.length, 'error')} found: ${rules.join(', ')}.`, {
    hint: 'Each finding says how it is mended; docs/reference/checks.md says why it hurts.',
    facts: { errors: errors.length, rules },
  });
}
