import type { Finding } from '../core/finding.js';
import { groupBy } from '../core/group-by.js';
import type { Colors } from './colors.js';
import { counted } from '../core/counted.js';
import { oneLine } from './line.js';

/** What was found, errors first, each with what to do next; those that are alike say it once, after the last. */
export function findingsText(findings: readonly Finding[], colors: Colors): string {
  const alike = groupBy(findings, (finding) => `${finding.level} ${finding.rule} ${forAnyTenant(finding)}`);
  return [...alike.values()]
    .flatMap((group) => {
      const [first] = group as [Finding];
      const hint = group.length === 1 ? first.hint : forAnyTenant(first);
      return [...group.map((finding) => headLine(finding, colors)), `  ${oneLine(hint)}`];
    })
    .join('\n');
}

/** The hint with `<tenant>` in its commands of ours: statements stay as they are, for they are pasted. */
function forAnyTenant({ hint, facts }: Finding): string {
  const { tenant } = facts;
  if (typeof tenant !== 'string') return hint;
  const words = (command: string) =>
    command.split(/( |`)/).map((word) => (word === tenant ? '<tenant>' : word));
  return hint.replaceAll(/`tenantctl [^`]*`/g, (command) => words(command).join(''));
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
