import { type CheckName } from './rule.js';
import type { Finding } from './finding.js';
import { groupBy } from './group-by.js';

/** Findings that a fleet started with: each is tolerated where it was, so many times, and no oftener. */
export interface Baseline {
  version: 1;
  checks: Partial<Record<CheckName, Debt[]>>;
}

/** So many findings of one rule at one place. */
export interface Debt {
  rule: string;
  where: string;
  count: number;
}

/** Findings beside a baseline. */
export interface Weighed {
  /** What the baseline does not know: these count. */
  findings: Finding[];
  /** What it knows. */
  known: Finding[];
  /** What it names and is no longer there. */
  paid: Debt[];
}

/** What was not looked at is no debt: a baseline that knew it would pass for a look that found nothing. */
const NEVER_KNOWN: ReadonlySet<string> = new Set(['not-inspected', 'not-compared', 'pool-not-probed']);

/** Whether a baseline may tolerate what this rule finds. */
export function tolerable({ rule }: Pick<Finding, 'rule'>): boolean {
  return !NEVER_KNOWN.has(rule);
}

/**
 * Tells what is new from what was there. Lines and messages do not matter: files are edited above a finding and numbers in
 * a message change; but a second fault of the same kind at the same place is a new one.
 * @param unseen debts of which this look could not tell: nobody has paid them
 */
export function weigh(
  findings: readonly Finding[],
  debts: readonly Debt[],
  unseen: (debt: Debt) => boolean = () => false,
): Weighed {
  const left = new Map(debts.filter(tolerable).map((debt) => [keyOf(debt), debt.count]));
  const weighed: Weighed = { findings: [], known: [], paid: [] };
  for (const finding of findings) {
    const remaining = left.get(keyOf(finding)) ?? 0;
    if (remaining > 0) left.set(keyOf(finding), remaining - 1);
    (remaining > 0 ? weighed.known : weighed.findings).push(finding);
  }
  const paid = debts.map((debt) => ({ ...debt, count: left.get(keyOf(debt)) ?? 0 }));
  return { ...weighed, paid: paid.filter((debt) => debt.count > 0 && !unseen(debt)) };
}

/** The findings as debts, in an order that makes small differences in version control. */
export function debtsOf(findings: readonly Finding[]): Debt[] {
  const debts = [...groupBy(findings.filter(tolerable), keyOf).values()].map((same) => {
    const { rule, where } = same[0] as Finding;
    return { rule, where, count: same.length };
  });
  return debts.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

function keyOf({ rule, where }: Pick<Finding, 'rule' | 'where'>): string {
  return JSON.stringify([rule, where]);
}

/** Whether a part could not be looked at, so that nobody knows which debts are paid there. */
export function isPartial(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.level === 'error' && !tolerable(finding));
}

/** The debts of a look, beside those of which it could not tell: what stood in the baseline of them stays there, as often as it did. */
export function debtsWith(unseen: readonly Debt[], found: readonly Debt[]): Debt[] {
  const debts = new Map(found.map((debt) => [keyOf(debt), debt]));
  for (const debt of unseen) {
    const now = debts.get(keyOf(debt))?.count ?? 0;
    debts.set(keyOf(debt), { ...debt, count: Math.max(debt.count, now) });
  }
  return [...debts.values()].toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}
