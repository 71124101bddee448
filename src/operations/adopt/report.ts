import type { LedgerTool } from '../../core/adoption.js';
import type { Tier } from '../../core/tier.js';
import type { UnitVersion } from '../../core/unit.js';

/** What was found of a unit. Only the first two are taken in; the others are refused with the reason. */
export const UNIT_STATES = [
  /** It has every file. */
  'current',
  /** It lacks the newest files; the next `migrate` brings them. */
  'behind',
  /** It has more than there are files here. */
  'ahead',
  /** Units of the same version look otherwise. */
  'differs',
  /** A migration failed there, or was left half done. */
  'dirty',
  /** A file is not what was applied there. */
  'edited',
  /** Its ledger names what no file is, lacks one in between, or cannot tell whether a file ever ran. */
  'unclear',
  /** A table that may be a ledger is there, but of no tool that is known, or two of them. */
  'unknown-ledger',
  /** No ledger, and no version whose shape it has, or several. */
  'no-ledger',
  /** A runner of the other tool is at work there, or somebody holds the schema. */
  'busy',
  /** The place is not there, or cannot be reached. */
  'unreachable',
  /** The administrator lacks rights there, or tables have owners that may not act as each other. */
  'rights',
  /** The row cannot be: another row or tenant has this id, key or place, or a value is wrong. */
  'invalid',
] as const;

export type UnitState = (typeof UNIT_STATES)[number];

/** One unit of the list. */
export interface FoundUnit {
  /** `schema:acme`, `database:acme`, `pool:shared`. */
  unit: string;
  tier: Tier;
  cluster: string;
  database: string;
  schema: string;
  tenants: number;
  state: UnitState;
  tool: LedgerTool | null;
  version: UnitVersion | null;
  /** The beginning of the digest of its shape; null where nobody looked. */
  shape: string | null;
  /** Is it, or would it be, under management after this? */
  taken: 'adopted' | 'existing' | 'refused';
  /** Why it was refused, and what to do next; null otherwise. */
  reason: string | null;
  hint: string | null;
  /** How it looks otherwise than most units of its version. */
  difference: string[];
}

/** Units of one version that look alike. */
export interface FoundShape {
  /** What `--accept` takes. */
  shape: string;
  tier: Tier;
  version: UnitVersion | null;
  units: number;
  tenants: number;
  examples: string[];
  /** Do most units of this version look like this? */
  majority: boolean;
  /** How it differs from that of most units. */
  difference: string[];
}

export interface RefusedUnit {
  unit: string;
  reason: string;
  hint: string | null;
  difference: string[];
}

export interface AdoptReport {
  /** Units that were, or on a dry run would be, taken in by this call, and those that had been before. */
  adopted: number;
  existing: number;
  /** Tenants that were, or would be, taken in by this call. */
  tenants: number;
  refused: RefusedUnit[];
  shapes: FoundShape[];
  /** Every unit, in the order of the list. */
  units: FoundUnit[];
  /** Rows of the list that cannot be read. */
  problems: { line: number; id: string | null; message: string }[];
  /** Units that were adopted earlier and are not there any more. */
  disappeared: string[];
  durationMs: number;
}
