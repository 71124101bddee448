import type { Tenant } from '../core/tenant.js';

/** What `provision` gives for one tenant. */
export interface Provisioned {
  tenant: Tenant;
  /** False when the tenant was there before this call. */
  created: boolean;
  durationMs: number;
}
