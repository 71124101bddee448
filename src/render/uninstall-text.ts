import { groupBy } from '../core/group-by.js';
import type { UninstallReport } from '../core/uninstall.js';
import { count, counted } from '../core/counted.js';
import { oneLine } from './line.js';
import { UNCHANGED } from './run-text.js';
import { recordsSection, sections } from './records.js';

const NAMED = 3;

/** What differs in nothing but its name, in one line: a fleet has thousands of them. */
function alike<T extends { name: string }>(items: readonly T[], key: (item: T) => string): [T, string][] {
  return [...groupBy(items, key).values()].map((same) => {
    const names = same.slice(0, NAMED).map(({ name }) => name);
    const more = same.length > NAMED ? [`and ${count(same.length - NAMED)} more`] : [];
    return [same[0] as T, [...names, ...more].join(', ')];
  });
}

/** What `uninstall` has removed, or would: what goes, what stays and why, and what is nowhere else. */
export function uninstallText({ removed, kept, lost, blockers }: UninstallReport, isPlan: boolean): string {
  if (removed.length === 0) return 'Nothing of tenantctl is here.';
  return sections(
    recordsSection(
      isPlan ? 'Would be removed' : 'Removed',
      alike(removed, ({ where, kind }) => `${where} ${kind}`).map(([{ where, kind }, what]) => ({
        where,
        kind,
        what,
      })),
    ),
    recordsSection(
      'Kept',
      alike(kept, ({ where, kind, reason }) => `${where} ${kind} ${reason}`).map(
        ([{ where, kind, reason }, what]) => ({
          where,
          kind,
          what,
          reason,
        }),
      ),
    ),
    [
      ...(lost.length === 0
        ? []
        : [isPlan ? 'Lost with the catalog; keep a copy first' : 'Lost with the catalog']),
      ...lost.map((one) => oneLine(`  ${count(one.count)} ${one.what}${isPlan ? `: ${one.keep}` : ''}`)),
    ].join('\n'),
    blockers.length === 0
      ? ''
      : [
          `It would be refused, for ${counted(blockers.length, 'reason')}:`,
          ...blockers.map((line) => `  ${oneLine(line)}`),
        ].join('\n'),
    isPlan
      ? UNCHANGED
      : 'Applications that call tenantctl.admit or read tenantctl.placement meet an error from now on.',
  );
}
