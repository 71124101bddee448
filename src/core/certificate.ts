import type { Signature } from './signature.js';
import type { Tier } from './tier.js';

export const CERTIFICATE_FORMAT = 1;

/**
 * The record of a deletion, as it is signed. It holds no personal data: names are there as salted hashes, by which
 * somebody who knows a name can find out that it is meant. Every number is whole, every time is ISO 8601 in UTC.
 */
export interface Certificate {
  format: typeof CERTIFICATE_FORMAT;
  /** Names the certificate. */
  certificate: string;
  fleet: string;
  issuedAt: string;
  tenant: {
    id: string;
    tier: Tier;
    /** What the hashes below begin with: sha256 over the salt in hexadecimal, a colon, and the text. */
    salt: string;
    key: string;
    owner: string | null;
  };
  request: {
    offboarding: string;
    /** Salted, as people are named in it. */
    requestedBy: string;
    reason: string | null;
    basis: string | null;
    ticket: string | null;
  };
  retention: { requestedAt: string; retainMs: number; dueAt: string; rule: string };
  holdCheck: HoldCheck;
  /** What was handed over before the deletion, or why nothing was. */
  export: { manifestSha256: string; finishedAt: string } | { none: string };
  scope: ScopePlace[];
  objects: DeletedObject[];
  rescan: Rescan;
  residue: Residue;
  tool: string;
  /** sha256 over the settings by which the deletion was decided: tenancy, retention, backups, places. */
  configuration: string;
  operator: { actor: string; databaseUser: string };
  /** The end of the audit log when this was issued. */
  audit: { seq: number; hash: string };
}

/** Read before the first row went, and again in each transaction that deleted. */
export interface HoldCheck {
  at: string;
  held: false;
  /** Local placements in which it was looked for. */
  placementsRead: number;
}

/** A place in which something of the tenant was looked for. */
export interface ScopePlace {
  cluster: string;
  database: string;
  schema: string;
  /** `current home`, `old home of a move`, … */
  found: string;
}

export type ObjectKind =
  | 'table'
  | 'partition'
  | 'schema'
  | 'database'
  | 'role'
  | 'large object'
  | 'materialised view'
  | 'publication'
  | 'replication slot'
  | 'placement';

export interface DeletedObject {
  /** `cluster/database` */
  place: string;
  object: string;
  kind: ObjectKind;
  /** Null where rows are not counted, as of a role. */
  rowsBefore: number | null;
  action: 'deleted' | 'dropped' | 'refreshed' | 'ended';
  rowsAfter: number | null;
  batches: number;
  firstTxid: string | null;
  lastTxid: string | null;
  lsn: string | null;
  startedAt: string;
  finishedAt: string;
}

/** A second look, after everything was gone. */
export interface Rescan {
  role: string;
  /** Is it another role than the one that deleted? */
  independent: boolean;
  at: string;
  databases: string[];
  tables: number;
  rowsFound: number;
  /** That the second look sees rows at all: of something that is known to be there. */
  control: { what: string; expected: number; found: number };
}

/** What may still hold the tenant's data, and until when. */
export interface Residue {
  /** The end of the write-ahead log after the deletion, by cluster, and how much of it the server keeps. */
  wal: { cluster: string; lsn: string; keptBytes: number | null }[];
  replicas: { cluster: string; name: string; replayLsn: string; past: boolean }[];
  /** Tables whose deleted rows are in their files until vacuum and new rows have written over them. */
  vacuum: { table: string; deadRows: number; lastVacuum: string | null }[];
  /** Backups as the configuration names them, and when the last one that can hold the data expires. */
  backups: { name: string; clusters: string[]; expireAfterMs: number; expiresAt: string }[];
  /** Whether the planner's statistics, which hold sample values, were made anew. */
  statistics: string;
  /** What this tool cannot see, a sentence each. */
  notCovered: string[];
}

/** The file that an auditor gets. */
export interface SignedCertificate {
  certificate: Certificate;
  signature: Signature;
  /** PEM. Whoever verifies should have it from elsewhere as well. */
  publicKey: string;
}

/** What a certificate says that cannot be. */
export interface CertificateDifference {
  /** `form`, `signature`, or the member that is wrong. */
  kind: string;
  message: string;
}
