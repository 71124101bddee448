import type { Finding } from '../core/finding.js';
import type { Colors } from './colors.js';
import { countedFindings, findingsText } from './findings-text.js';
import { counted, oneLine } from './line.js';
import { sections } from './records.js';

interface DiagnosisView {
  findings: readonly Finding[];
  fixed: readonly Finding[];
}

/** What was found, and what was mended. */
export function doctorText({ findings, fixed }: DiagnosisView, colors: Colors): string {
  return sections(
    fixedText(fixed),
    findings.length === 0
      ? `${colors.green('ok')} nothing is wrong that this looks for`
      : findingsText(findings, colors),
    summary(findings),
  );
}

function fixedText(fixed: readonly Finding[]): string {
  if (fixed.length === 0) return '';
  const lines = fixed.map(({ rule, where, message }) => `  ${rule} ${oneLine(where)}: ${oneLine(message)}`);
  return [`${counted(fixed.length, 'finding')} mended`, ...lines].join('\n');
}

function summary(findings: readonly Finding[]): string {
  if (findings.length === 0) return '';
  const fixable = findings.filter(({ facts }) => facts['fixable'] === true).length;
  const fix = fixable === 0 ? '' : `; \`tenantctl doctor --fix\` mends ${fixable} of them`;
  return `${countedFindings(findings)}${fix}`;
}
