import type { ExportRecord, Offboarding } from '../../core/offboarding.js';
import type { Tenant } from '../../core/tenant.js';

/** What a caller wants of an offboarding. */
export interface OffboardRequest {
  id: string;
  /** Folder for the export; one under `retention.directory` when left out. */
  exportTo?: string;
  /** Leaves the export out, whatever the configuration says. */
  withoutExport?: boolean;
  /** Milliseconds between now and the deletion; `retention.period` when left out. */
  retainMs?: number;
  /** Who asked for it; the actor when left out. */
  requestedBy?: string;
  /** The legal basis. */
  basis?: string;
}

/** What an offboarding has come to. */
export interface Offboarded {
  tenant: Tenant;
  offboarding: Offboarding;
  export: ExportRecord | null;
  dueAt: string;
}

export interface OffboardPlan {
  plan: { tenant: string; steps: string[] };
}
