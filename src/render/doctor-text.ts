import type { Finding } from '../core/finding.js';
import type { Colors } from './colors.js';
import { countedFindings, findingsText } from './findings-text.js';
import { counted } from '../core/counted.js';
import { oneLine } from './line.js';
import { sections } from './records.js';

interface DiagnosisView {
  findings: readonly Finding[];
  fixed: readonly Finding[];
  /** What `--fix` would do. */
  plan?: readonly string[];
  /** Was it asked to mend? */
  fix?: boolean;
  rebuilt?: RebuiltView;
}

interface RebuiltView {
  added: readonly string[];
  plan: readonly string[];
  known: number;
  left: readonly { tenant: string; reason: string }[];
  remarks: readonly string[];
  lost: readonly string[];
}

/** What was found, and what was mended. */
export function doctorText(view: DiagnosisView, colors: Colors): string {
  const { findings, fixed, plan, rebuilt, fix = false } = view;
  const looked = rebuilt === undefined || rebuilt.added.length > 0 || rebuilt.plan.length === 0;
  return sections(
    rebuilt === undefined ? '' : rebuiltText(rebuilt),
    fixedText(fixed),
    planText(plan),
    nothingMended(view),
    !looked
      ? ''
      : findings.length === 0
        ? `${colors.green('ok')} nothing is wrong that this looks for${fix && fixed.length === 0 ? '; nothing to mend' : ''}`
        : findingsText(findings, colors),
    summary(view),
  );
}

function rebuiltText({ added, plan, known, left, remarks, lost }: RebuiltView): string {
  const done = added.length > 0;
  const head = done
    ? `${counted(added.length, 'tenant')} added to the catalog; it knew ${known}`
    : `${counted(plan.length, 'tenant')} to be added to the catalog; it knows ${known}`;
  return [
    head,
    ...numbered(plan),
    ...left.map(({ tenant, reason }) => `  not added: tenant ${tenant}: ${oneLine(reason)}`),
    ...remarks.map((remark) => `  note: ${oneLine(remark)}`),
    ...(plan.length === 0 ? [] : ['What no home knows, and only a backup of the catalog brings back:']),
    ...(plan.length === 0 ? [] : lost.map((what) => `  - ${what}`)),
  ].join('\n');
}

function planText(plan: readonly string[] | undefined): string {
  if (plan === undefined || plan.length === 0) return '';
  return ['`--fix` would', ...numbered(plan)].join('\n');
}

/** Whoever asks for a mending is told that there is none, and why. */
function nothingMended({ findings, fixed, plan, fix = false }: DiagnosisView): string {
  if (!fix || fixed.length > 0 || findings.length === 0 || (plan?.length ?? 0) > 0) return '';
  if (findings.some(({ facts }) => facts['fixable'] === true)) return '';
  const each = findings.length === 1 ? 'the finding needs' : 'each finding needs';
  return `nothing here can be mended by \`--fix\`: ${each} a decision or a statement of yours`;
}

function numbered(steps: readonly string[]): string[] {
  return steps.map((step, index) => `  ${index + 1}. ${oneLine(step)}`);
}

function fixedText(fixed: readonly Finding[]): string {
  if (fixed.length === 0) return '';
  const lines = fixed.map(({ rule, where, message }) => `  ${rule} ${oneLine(where)}: ${oneLine(message)}`);
  return [`${counted(fixed.length, 'finding')} mended`, ...lines].join('\n');
}

function summary({ findings, fix = false, plan }: DiagnosisView): string {
  if (findings.length === 0) return '';
  // It has just been asked to, and each finding that is left says why not.
  if (fix && plan === undefined) return countedFindings(findings);
  const fixable = findings.filter(({ facts }) => facts['fixable'] === true).length;
  const offer = fixable === 0 ? '' : `; \`tenantctl doctor --fix\` mends ${fixable} of them`;
  return `${countedFindings(findings)}${offer}`;
}
