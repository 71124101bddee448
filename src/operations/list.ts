import type { Selector } from '../core/selector.js';
import type { Tenant } from '../core/tenant.js';
import { listTenantRecords } from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import { toTenant } from './home.js';

export interface TenantList {
  tenants: Tenant[];
  /** The id to give as `after` for the next page; null on the last one. */
  next: string | null;
}

/** One page of tenants in order of id. */
export async function listTenants(
  fleet: Fleet,
  page: { select: Selector; limit: number; after: string | null },
): Promise<TenantList> {
  const records = await fleet.catalog((connection) => listTenantRecords(connection, page));
  const tenants = records.slice(0, page.limit).map(toTenant);
  return { tenants, next: records.length > page.limit ? (tenants.at(-1)?.id ?? null) : null };
}
