export const OFFBOARDING_STATES = [
  'requested',
  'scheduled',
  'purging',
  'purged',
  'certified',
  'cancelled',
] as const;

/**
 * `requested`: its home closes and is exported. `scheduled`: it waits for its day. `purging`: rows are being deleted.
 * `purged`: nothing is left that was looked for. `certified`: the certificate is written.
 */
export type OffboardingState = (typeof OFFBOARDING_STATES)[number];

/** What is known of the export that an offboarding made. */
export interface ExportRecord {
  /** Where it was written. */
  directory: string;
  manifestSha256: string;
  rows: number;
  bytes: number;
  finishedAt: string;
}

/** An offboarding as commands show it. */
export interface Offboarding {
  offboarding: string;
  tenant: string;
  state: OffboardingState;
  requestedBy: string;
  reason: string | null;
  basis: string | null;
  ticket: string | null;
  statusBefore: 'active' | 'suspended';
  requestedAt: string;
  retainMs: number;
  dueAt: string;
  /** By the catalog's own clock. */
  due: boolean;
  export: ExportRecord | null;
  /** Whether rows may already be gone. */
  begunAt: string | null;
  finishedAt: string | null;
}

/** A legal hold. */
export interface LegalHold {
  hold: string;
  tenant: string;
  reason: string;
  author: string;
  placedAt: string;
}
