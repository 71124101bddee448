import { type PoolRules, isWatching, modeOf } from '../../core/pool-rules.js';
import { type PoolTable, isHeldByUs, lacksOf } from './tables.js';

/** In what a pool is not as its entry in the configuration says. */
export interface PoolDifference {
  /** Tables that are to be enforced and lack something for it. */
  enforce: { table: PoolTable; lacks: string[] }[];
  /** Tables that we hold to their tenants although the pool only observes them. */
  open: PoolTable[];
  /** Tables that are listed and cannot be enforced: `note: it has no column tenant_id`. */
  problems: string[];
}

/** Compares what is there with what the configuration says; `require` is the migrations' business. */
export function differenceOf(rules: PoolRules, tables: readonly PoolTable[], column: string): PoolDifference {
  const tenanted = tables.filter((table) => table.tenanted);
  return {
    enforce: tenanted
      .filter(({ listed }) => modeOf(rules, listed) === 'enforce')
      .map((table) => ({ table, lacks: lacksOf(table, column) }))
      .filter(({ lacks }) => lacks.length > 0),
    open: tenanted.filter((table) => isWatching(modeOf(rules, table.listed)) && isHeldByUs(table)),
    problems: problemsOf(rules, tables, column),
  };
}

function problemsOf({ mode, enforce }: PoolRules, tables: readonly PoolTable[], column: string): string[] {
  if (!isWatching(mode)) return [];
  return enforce.flatMap((name) => {
    const table = tables.find((one) => one.name === name);
    if (table === undefined) return [`${name}: there is no such table`];
    return table.tenanted ? [] : [`${name}: it has no column ${column}`];
  });
}
