import pLimit from 'p-limit';
import { conflictError } from '../core/errors.js';
import type { EventFault, UnitOutcome } from '../core/events.js';
import type { Fleet } from '../engine/context.js';
import { faultOf } from './fault.js';
import { type ProvisionRequest, type ProvisionResult, provision } from './provision.js';

/** One row of a list of tenants: what it asks for, or why it cannot be read. */
export type ProvisionRow = { line: number } & (
  { request: ProvisionRequest } | { problem: string; id?: string }
);

export interface FailedRow {
  line: number;
  id: string | null;
  code: string;
  message: string;
}

export interface ProvisionedMany {
  created: number;
  existing: number;
  failed: FailedRow[];
  durationMs: number;
}

/** Rows that are read ahead for each lane. */
const READ_AHEAD = 4;

/**
 * Provisions a list of tenants on lanes. A row that fails stops nothing else and is named by its line;
 * the same list again finishes what is missing.
 */
export async function provisionMany(
  fleet: Fleet,
  rows: AsyncIterable<ProvisionRow>,
  options: { dryRun: boolean; concurrency?: number },
): Promise<ProvisionedMany> {
  const began = performance.now();
  const lanes = options.concurrency ?? fleet.settings.rollout.concurrency;
  const lane = pLimit(lanes);
  const result: ProvisionedMany = { created: 0, existing: 0, failed: [], durationMs: 0 };
  const seen = new Map<string, number>();
  const open = new Set<Promise<void>>();
  for await (const row of rows) {
    if (fleet.signal.aborted) break;
    const work: Promise<void> = lane(() => provisionRow(fleet, row, seen, options.dryRun, result)).finally(
      () => open.delete(work),
    );
    open.add(work);
    if (open.size >= lanes * READ_AHEAD) await Promise.race(open);
  }
  await Promise.all(open);
  result.failed.sort((a, b) => a.line - b.line);
  return { ...result, durationMs: Math.round(performance.now() - began) };
}

async function provisionRow(
  fleet: Fleet,
  row: ProvisionRow,
  seen: Map<string, number>,
  dryRun: boolean,
  result: ProvisionedMany,
): Promise<void> {
  if ('problem' in row) {
    result.failed.push({ line: row.line, id: row.id ?? null, code: 'ROW_INVALID', message: row.problem });
    return;
  }
  const began = performance.now();
  const finished = (outcome: UnitOutcome, fault: EventFault | null): void =>
    fleet.emit({
      type: 'unit.finished',
      unit: row.request.id,
      outcome,
      ms: Math.round(performance.now() - began),
      fault,
    });
  try {
    refuseRepeated(seen, row.request.id, row.line);
    const created = isNew(await provision(fleet, row.request, { dryRun }));
    result[created ? 'created' : 'existing'] += 1;
    finished(created && !dryRun ? 'succeeded' : 'unchanged', null);
  } catch (error) {
    const fault = faultOf(error);
    result.failed.push({ line: row.line, id: row.request.id, code: fault.code, message: fault.message });
    finished('failed', fault);
  }
}

function isNew(result: ProvisionResult): boolean {
  return 'plan' in result ? result.plan.steps.length > 1 : result.created;
}

function refuseRepeated(seen: Map<string, number>, id: string, line: number): void {
  const first = seen.get(id);
  if (first !== undefined) {
    throw conflictError('ROW_REPEATED', `Tenant ${id} stands already in line ${first}.`, {
      facts: { tenant: id, first, line },
    });
  }
  seen.set(id, line);
}
