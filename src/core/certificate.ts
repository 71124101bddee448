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
  /** What was exported before the deletion, or why nothing was. */
  export: { manifestSha256: string | null; finishedAt: string | null; without: string | null };
  scope: ScopePlace[];
  /** From the first row to the last object. */
  deletion: { begunAt: string; endedAt: string };
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

/** Holds are read again in each transaction that deletes. */
export interface HoldCheck {
  /** When they were read first, before anything was deleted. */
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

export interface DeletedObject {
  /** `cluster/database` */
  place: string;
  object: string;
  kind:
    | 'table'
    | 'partition'
    | 'schema'
    | 'database'
    | 'role'
    | 'large objects'
    | 'materialized view'
    | 'publication'
    | 'replication slot';
  /** Null where rows are not what it is about. */
  rowsBefore: number | null;
  action: 'rows deleted' | 'dropped' | 'filled again' | 'ended' | 'found gone';
  rowsAfter: number | null;
  batches: number | null;
  firstTxid: string | null;
  lastTxid: string | null;
  lsn: string | null;
}

/** A second look over whole clusters, after everything was gone. */
export interface Rescan {
  at: string;
  clusters: string[];
  databases: number;
  /** Who has read how many tables. */
  readers: { role: string; tables: number }[];
  rowsFound: number;
  /** What could not be read whole. */
  notRead: string[];
  /** The same look before the deletion, which must see what was to be deleted: one that is blind proves nothing. */
  control: { at: string; expected: number; found: number };
}

/** What may still hold the tenant's data, and until when. */
export interface Residue {
  servers: {
    cluster: string;
    at: string;
    /** Everything that was deleted is in the write-ahead log up to here. */
    walLsn: string;
    /** Bytes of log that are kept for replicas and slots; null where the server keeps what its checkpoints need. */
    walKeptBytes: number | null;
    /** Is the log copied elsewhere? */
    archiving: boolean;
    slots: { name: string; restartLsn: string | null }[];
    /** Null where the administrator may not see it. */
    replicas: { name: string; replayLsn: string | null; past: boolean | null }[];
  }[];
  /** Shared tables, whose files hold deleted rows until vacuum and new rows have written over them. */
  tables: { table: string; deadRows: number; lastVacuum: string | null; analyzed: boolean }[];
  /** Backups as the configuration names them, and when the last one that can hold the data expires. */
  backups: { name: string; clusters: string[]; expireAfterMs: number; expiresAt: string }[];
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
