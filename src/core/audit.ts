/** An entry of the audit log as commands show it. */
export interface AuditRecord {
  seq: number;
  at: string;
  action: string;
  phase: 'intent' | 'done' | 'failed';
  tenant: string | null;
  unit: string | null;
  run: string | null;
  actor: string;
  databaseUser: string;
  reason: string | null;
  ticket: string | null;
  details: Record<string, unknown>;
  tool: string;
  hash: string;
}

/** The end of the chain, or any place in it. */
export interface ChainPoint {
  seq: number;
  hash: string;
}

/** Before the first entry. */
export const CHAIN_START: ChainPoint = { seq: 0, hash: '0'.repeat(64) };

/** In which way the audit log is not what was written. */
export type AuditDifferenceKind =
  | 'changed'
  | 'missing'
  | 'forked'
  | 'wrong-previous'
  | 'head'
  | 'truncated'
  | 'replaced'
  | 'checkpoint-signature'
  | 'checkpoint-unreadable'
  | 'checkpoint-of-another-fleet';

export interface AuditDifference {
  kind: AuditDifferenceKind;
  /** The entry, or what is left of its place; null when it is about a line of a file. */
  seq: number | null;
  message: string;
}

/** One signed line of a checkpoint file: how the chain stood at a moment. */
export interface Checkpoint extends ChainPoint {
  fleet: string;
  /** Entries from the first to this one. */
  entries: number;
  at: string;
  keyId: string;
  signature: string;
}
