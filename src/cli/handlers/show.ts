import { showTenant } from '../../operations/show.js';
import { tenantDetailText } from '../../render/tenant-text.js';
import type { Call, Outcome } from '../command.js';
import type { show } from '../commands/show.js';

export default async function handle({ fleet, arguments: { id } }: Call<typeof show>): Promise<Outcome> {
  const data = await showTenant(fleet, id);
  return { data, text: () => tenantDetailText(data) };
}
