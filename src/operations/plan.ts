import type { RunPlan } from '../core/report.js';
import type { Fleet } from '../engine/context.js';
import { type MigrateRequest, prepareMigrate } from './migrate.js';
import { previewOf } from './run-preview.js';
import { type SavedPlan, planDocument } from './runs/saved-plan.js';

/** What a migration would do, together with the document from which exactly that can be done later. Changes nothing. */
export async function planMigration(
  fleet: Fleet,
  request: MigrateRequest,
): Promise<{ plan: RunPlan; document: SavedPlan }> {
  const prepared = await prepareMigrate(fleet, request);
  return { plan: await previewOf(fleet, prepared), document: planDocument(prepared) };
}
