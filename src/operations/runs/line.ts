import type { StoredRun } from '../../engine/catalog/runs.js';

/** A run on one line of a list. */
export interface RunLine {
  run: string;
  kind: string;
  status: string;
  reason: string | null;
  target: string | null;
  actor: string;
  startedAt: string;
  finishedAt: string | null;
}

export function runLine({
  id,
  kind,
  status,
  reason,
  target,
  actor,
  startedAt,
  finishedAt,
}: StoredRun): RunLine {
  return { run: id, kind, status, reason, target: target?.name ?? null, actor, startedAt, finishedAt };
}
