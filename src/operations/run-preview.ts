import type { RunPlan } from '../core/report.js';
import type { PreparedRun } from './run-record.js';

/** What a run would do, for `--dry-run`. */
export function previewOf({ surveyed, waves }: PreparedRun): RunPlan {
  const pending = new Map(surveyed.flatMap(({ pending: files }) => files.map((file) => [file.id, file])));
  return {
    waves: waves.map(({ name, units }) => ({
      name,
      units: units.map(({ unit }) => unit.id),
      tenants: units.reduce((sum, { unit }) => sum + unit.tenantCount, 0),
    })),
    migrations: [...pending.values()]
      .sort((a, b) => a.id - b.id)
      .map(({ id, name, directives }) => ({
        id,
        name,
        phase: directives.phase,
        transactional: !directives.noTransaction && !directives.batched,
      })),
    skipped: surveyed.flatMap(({ unit, skip, fault }) => {
      const reason = skip ?? fault?.message;
      return reason === undefined ? [] : [{ unit: unit.id, reason }];
    }),
    current: surveyed.filter(
      ({ pending: files, skip, fault }) => files.length === 0 && skip === null && fault === null,
    ).length,
  };
}
