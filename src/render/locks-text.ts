import type { PlannedLock, RunPlan } from '../core/report.js';

/** `0007_note on invoice: ACCESS EXCLUSIVE, blocks readers and writers; rewrites the table`, where there is something to know. */
export function lockLines(migrations: RunPlan['migrations']): string[] {
  return migrations.flatMap(({ name, locks }) =>
    locks.filter(matters).map((lock) => `${name} on ${lockText(lock)}`),
  );
}

/** A lock that blocks nobody and under which no table is read or written as a whole goes unnoticed. */
function matters({ blocks, rewrites, scans }: PlannedLock): boolean {
  return blocks !== 'nothing' || rewrites !== false || scans;
}

function lockText({ relation, lock, blocks, rewrites, scans }: PlannedLock): string {
  const consequences = [
    blocks === 'nothing' ? 'blocks nobody' : `blocks ${blocks}`,
    ...(rewrites === true ? ['rewrites the table'] : rewrites === 'maybe' ? ['may rewrite the table'] : []),
    ...(scans && rewrites !== true ? ['reads the whole table'] : []),
  ];
  return `${relation ?? 'other tables'}: ${lock}, ${consequences.join('; ')}`;
}
