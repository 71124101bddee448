import type { LintRule, Scene } from '../rule.js';
import { type Step, blockingWork, blocks } from '../step.js';
import { rowWork } from '../row-work.js';

export const locksHeldOverWork: LintRule = {
  name: 'locks-held-over-work',
  check: 'migrations',
  level: 'error',
  summary: 'A lock that blocks others is held while the same transaction reads or changes many rows.',
  explanation:
    'A lock is held to the end of its transaction. A brief ALTER TABLE, followed by an UPDATE of all rows, keeps the table shut for as long as the UPDATE takes. What reads or changes rows belongs in a file of its own; what needs the strong lock comes last.',
  remedy:
    'Split the file: the statement with the lock in one migration, the work on rows in another, with `-- tenantctl: batched`.',
  bad: `alter table invoice add column gross numeric(12,2);
update invoice set gross = total;`,
  good: `-- 0002_gross.sql
alter table invoice add column gross numeric(12,2);
-- 0003_fill_gross.sql
-- tenantctl: batched
update invoice set gross = total where (tenant_id, id) in (select tenant_id, id from invoice where gross is null limit 1000);`,
  step: (step, scene) => {
    const work = workOf(step, scene);
    const holder =
      work === null || scene.script.directives.noTransaction ? undefined : lockBefore(step, scene);
    if (work === null || holder === undefined) return [];
    const held = holder.effects.find(({ lock }) => lock !== 'ROW EXCLUSIVE');
    const message = `${work.words} while ${held?.lock} on ${held?.relation ?? 'another table'} is held.`;
    return [{ at: step.at, message, level: work.level }];
  },
};

/** Work on rows that goes on after a lock was taken; what works under a lock of its own is told by other rules. */
function workOf(step: Step, scene: Scene): { words: string; level: 'error' | 'warning' } | null {
  const rows = rowWork(step, scene.known);
  if (rows !== null)
    return { words: `Rows of ${rows.table} are changed`, level: rows.bounded ? 'warning' : 'error' };
  const scan = step.effects.find(({ scans }) => scans);
  // VALIDATE of what the file itself added has a rule of its own.
  if (scan === undefined || blockingWork(step) !== undefined || addedHere(step, scene)) return null;
  return { words: `Every row of ${scan.relation ?? 'a table'} is read`, level: 'error' };
}

function addedHere(step: Step, { script }: Scene): boolean {
  return script.steps.some(
    ({ command }) =>
      (command['def'] as { Constraint?: { conname?: string } } | undefined)?.Constraint?.conname ===
      step.command['name'],
  );
}

const lockBefore = (step: Step, { script }: Scene): Step | undefined =>
  script.steps
    .slice(0, script.steps.indexOf(step))
    .find((earlier) => earlier.statement !== step.statement && blocks(earlier));
