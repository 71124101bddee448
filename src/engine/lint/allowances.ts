import type { Finding } from '../../core/finding.js';
import { DIRECTIVE_MARK } from '../ledger/directives.js';
import type { Comment } from '../ledger/tokens.js';
import type { Script } from './script.js';

/** `-- tenantctl: allow <rule>, <rule> because <reason>` in a file. */
export interface Allowance {
  at: number;
  rules: readonly string[];
  reason: string;
  /** The statement that it is for; null for the whole file. */
  statement: number | null;
}

const WORDS = new RegExp(`^--\\s*${DIRECTIVE_MARK}\\s*allow\\s+(.*)$`);

/** The allowances of a file: before its first statement for all of it, elsewhere for the statement that follows. */
export function allowancesIn(script: Script): Allowance[] {
  return script.comments.flatMap((comment) => {
    const words = WORDS.exec(comment.text)?.[1];
    if (words === undefined) return [];
    const [rules = '', ...reason] = words.split(/\s+because(?:\s+|$)|^because(?:\s+|$)/);
    return {
      at: comment.start,
      rules: rules.split(/[\s,]+/).filter((rule) => rule !== ''),
      reason: reason.join(' because ').trim(),
      statement: statementOf(script, comment),
    };
  });
}

function statementOf({ statements, sql }: Script, { start }: Comment): number | null {
  // Behind a statement on its last line, it is about that one.
  const beside = statements.findLastIndex(
    ({ end, start: begin }) => begin < start && end <= start && !sql.slice(end, start).includes('\n'),
  );
  if (beside >= 0) return beside;
  const next = statements.findIndex(({ end }) => end > start);
  const first = statements[0];
  if (first === undefined || start < first.start) return null;
  return next < 0 ? statements.length - 1 : next;
}

/** A finding, and the statement it is about; null when it is about the file. */
export interface Placed {
  finding: Finding;
  statement: number | null;
}

/** The findings that nothing allows, and the allowances that were of use. */
export function applyAllowances(
  found: readonly Placed[],
  allowances: readonly Allowance[],
  final: ReadonlySet<string>,
) {
  const used = new Set<string>();
  const left = found.filter(({ finding, statement }) => {
    if (final.has(finding.rule)) return true;
    const allowing = allowances.filter(
      ({ rules, reason, statement: about }) =>
        reason !== '' && rules.includes(finding.rule) && (about === null || about === statement),
    );
    for (const { at } of allowing) used.add(`${at} ${finding.rule}`);
    return allowing.length === 0;
  });
  return { left, isUsed: ({ at }: Allowance, rule: string): boolean => used.has(`${at} ${rule}`) };
}
