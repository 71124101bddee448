import type { Finding } from '../core/finding.js';
import { groupBy } from '../core/group-by.js';
import type { Colors } from './colors.js';
import { counted, oneLine } from './line.js';

/** What was found, errors first, each with what to do next; those that are alike say it once, after the last. */
export function findingsText(findings: readonly Finding[], colors: Colors): string {
  const alike = groupBy(findings, ({ level, rule, hint }) => `${level} ${rule} ${hint}`);
  return [...alike.values()]
    .flatMap((group) => [
      ...group.map((finding) => headLine(finding, colors)),
      `  ${oneLine((group[0] as Finding).hint)}`,
    ])
    .join('\n');
}

function headLine({ level, rule, where, message }: Finding, colors: Colors): string {
  const paint = { error: colors.red, warning: colors.yellow, info: colors.dim }[level];
  return `${paint(level)} ${rule} ${oneLine(where)}: ${oneLine(message)}`;
}

/** `2 errors, 1 warning` */
export function countedFindings(findings: readonly Finding[]): string {
  const parts = (['error', 'warning', 'info'] as const).flatMap((level) => {
    const n = findings.filter((finding) => finding.level === level).length;
    return n === 0 ? [] : [counted(n, level, level === 'info' ? 'infos' : undefined)];
  });
  return parts.join(', ');
}
