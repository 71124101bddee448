/** Migration tools whose ledgers are read when a fleet is adopted. */
export const LEDGER_TOOLS = [
  'postgres-migrations',
  'node-pg-migrate',
  'dbmate',
  'golang-migrate',
  'flyway',
  'prisma',
  'drizzle',
  'rails',
  'django',
  'laravel',
  'sqitch',
] as const;

export type LedgerTool = (typeof LEDGER_TOOLS)[number];

/** The ledger that another tool keeps of a unit, and where. */
export interface ToolLedgerPlace {
  tool: LedgerTool;
  schema: string;
  table: string;
}

/** What is kept of a unit that another tool had made. */
export interface Adoption {
  /** The role that owns its tables: migrations act as it, so that what they make is owned likewise. Null for the administrator. */
  owner: string | null;
  /** Null where nobody kept one. */
  ledger: ToolLedgerPlace | null;
  /** Is that ledger kept true by us as well, for as long as both tools are used? */
  dualWrite: boolean;
  /** Objects, as `index bill_cents`, in which it may look otherwise than units of its version: its shape was accepted with them. */
  tolerated?: readonly string[];
}
