import type { ToolLedger } from './ledger.js';

/** All ledgers that are read, those with the most telling columns first. */
export const TOOL_LEDGERS: readonly ToolLedger[] = [];
