import type { Fleet } from '../../../src/engine/context.js';
import { setTenant } from '../../../src/operations/set.js';

/** A change of labels and owner, as a user makes it. */
export async function editTenant(fleet: Fleet, id: string): Promise<void> {
  await setTenant(fleet, id, { labels: { ring: 'canary' }, owner: 'jo@example.org' }, { dryRun: false });
}
