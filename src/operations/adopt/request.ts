import type { LedgerTool } from '../../core/adoption.js';
import type { Tier } from '../../core/tier.js';

/** A tenant that is there already, and where: one row of the list that `adopt` takes in. */
export interface AdoptRequest {
  id: string;
  tier: Tier;
  cluster: string;
  database: string;
  schema: string;
  /** The value of the tenant column; null for a new one, outside pools. */
  key: string | null;
  plan: string | null;
  owner: string | null;
  labels: Record<string, string>;
  /** The role that applications act as there; null for the one that has the rights. */
  role: string | null;
  /** The migration that the unit has, for one that nobody has kept a ledger of: its name or number. */
  version: string | null;
  /** `schema.table` of its ledger, where it is neither in its own schema nor in the tool's. */
  ledger: string | null;
}

/** A row of the list: what it asks for, or why it cannot be read. */
export type AdoptRow = { line: number } & ({ request: AdoptRequest } | { problem: string; id?: string });

export interface AdoptOptions {
  /** `auto`: the tool whose ledger is found. */
  ledger: LedgerTool | 'auto';
  /** Is the other tool's ledger kept true from now on? */
  dualWrite: boolean;
  /** Digests, or beginnings of them, of shapes that are taken in although most units of the version look otherwise. */
  accept: readonly string[];
  /** Says what would be done, unit by unit; writes nothing anywhere. */
  dryRun: boolean;
}
