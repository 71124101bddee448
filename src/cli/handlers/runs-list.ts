import { listFleetRuns } from '../../operations/runs/list.js';
import { recordsTable } from '../../render/records.js';
import type { Call, Outcome } from '../command.js';
import type { runsList } from '../commands/runs.js';

export default async function handle({ fleet, options }: Call<typeof runsList>): Promise<Outcome> {
  const data = await listFleetRuns(fleet, options.limit);
  return { data, text: () => (data.runs.length === 0 ? 'no runs yet' : recordsTable(data.runs)) };
}
