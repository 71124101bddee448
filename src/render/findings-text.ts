import type { Finding } from '../core/finding.js';
import type { Colors } from './colors.js';
import { counted, oneLine } from './line.js';

/** What a check has found, errors first, each with what to do next. */
export function findingsText(findings: readonly Finding[], colors: Colors): string {
  return findings.map((finding) => findingText(finding, colors)).join('\n');
}

function findingText({ level, rule, where, message, hint }: Finding, colors: Colors): string {
  const paint = { error: colors.red, warning: colors.yellow, info: colors.dim }[level];
  return `${paint(level)} ${rule} ${oneLine(where)}: ${oneLine(message)}\n  ${oneLine(hint)}`;
}

/** `2 errors, 1 warning` */
export function countedFindings(findings: readonly Finding[]): string {
  const parts = (['error', 'warning', 'info'] as const).flatMap((level) => {
    const n = findings.filter((finding) => finding.level === level).length;
    return n === 0 ? [] : [counted(n, level, level === 'info' ? 'infos' : undefined)];
  });
  return parts.join(', ');
}
