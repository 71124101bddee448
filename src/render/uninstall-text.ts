import type { UninstallReport } from '../core/uninstall.js';
import { count, counted, oneLine } from './line.js';
import { UNCHANGED } from './run-text.js';
import { recordsSection, sections } from './records.js';

/** What `uninstall` has removed, or would: what goes, what stays and why, and what is nowhere else. */
export function uninstallText({ removed, kept, lost, blockers }: UninstallReport, isPlan: boolean): string {
  if (removed.length === 0) return 'Nothing of tenantctl is here.';
  return sections(
    recordsSection(
      isPlan ? 'Would be removed' : 'Removed',
      removed.map(({ where, kind, name }) => ({ where, kind, name })),
    ),
    recordsSection(
      'Kept',
      kept.map(({ where, kind, name, reason }) => ({ where, kind, name, reason })),
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
