import { parseSelectors } from '../../core/selector.js';
import { listTenants } from '../../operations/list.js';
import { tenantsText } from '../../render/tenant-text.js';
import type { Call, Outcome } from '../command.js';
import type { list } from '../commands/list.js';

export default async function handle({ fleet, options }: Call<typeof list>): Promise<Outcome> {
  const { limit, after = null } = options;
  const data = await listTenants(fleet, { select: parseSelectors(options.select), limit, after });
  return { data, text: () => tenantsText(data) };
}
