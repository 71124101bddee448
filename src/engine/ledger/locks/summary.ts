import { blockedBy, LOCK_MODES, stronger } from '../../../core/lock-mode.js';
import type { PlannedLock } from '../../../core/report.js';
import type { Migration } from '../migration.js';
import { effectsOf } from './effects.js';

/** What a migration does to each table that is there before it, the strongest lock first. */
export function lockSummary(migration: Migration): PlannedLock[] {
  const byRelation = new Map<string | null, PlannedLock>();
  for (const { relation, lock, rewrites, scans } of effectsOf(migration)) {
    const before = byRelation.get(relation);
    const mode = before === undefined ? lock : stronger(before.lock, lock);
    byRelation.set(relation, {
      relation,
      lock: mode,
      blocks: blockedBy(mode),
      rewrites:
        rewrites === true ||
        before?.rewrites === true ||
        (rewrites === false ? (before?.rewrites ?? false) : rewrites),
      scans: scans || before?.scans === true,
    });
  }
  return [...byRelation.values()].sort((a, b) => LOCK_MODES.indexOf(b.lock) - LOCK_MODES.indexOf(a.lock));
}
