import type { Offboarding } from '../../core/offboarding.js';
import { type StoredOffboarding, requireOffboarding } from '../../engine/catalog/offboardings.js';
import { requireTenant } from '../../engine/catalog/tenants.js';
import type { Connection } from '../../pg/connection.js';
import { toTenant } from '../home.js';
import type { Offboarded } from './request.js';

/** A stored offboarding as commands show it. */
export function toOffboarding(stored: StoredOffboarding): Offboarding {
  const { wantsExport: _wantsExport, progress: _progress, ...offboarding } = stored;
  return offboarding;
}

/** What an offboarding has come to, read again after a change. */
export async function offboardedNow(
  connection: Connection,
  { tenant: id, offboarding }: Pick<Offboarding, 'tenant' | 'offboarding'>,
): Promise<Offboarded> {
  const done = await requireOffboarding(connection, offboarding);
  const tenant = toTenant(await requireTenant(connection, id));
  return { tenant, offboarding: toOffboarding(done), export: done.export, dueAt: done.dueAt };
}
