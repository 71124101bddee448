/** What a check has found: the shape that every command with findings gives. */
export interface Finding {
  rule: string;
  level: 'error' | 'warning' | 'info';
  /** The cluster, database, tenant, object or file it is about. It holds no line number, so that a baseline outlives an edit. */
  where: string;
  message: string;
  /** What to do next. */
  hint: string;
  facts: FindingFacts;
}

/** Particulars; those named here mean the same for every rule. */
export interface FindingFacts {
  /** The migration file, with the place in it, from 1. */
  file?: string;
  line?: number;
  column?: number;
  /** Statements that mend it, in their order. */
  sql?: readonly string[];
  /** Nobody answered there: a later look may tell what this one could not. */
  unreachable?: true;
  [fact: string]: unknown;
}

const BY_LEVEL: Readonly<Record<Finding['level'], number>> = { error: 0, warning: 1, info: 2 };

/** The same findings, errors before warnings before infos; otherwise in their order. */
export function worstFirst<F extends Pick<Finding, 'level'>>(findings: readonly F[]): F[] {
  return findings.toSorted((one, other) => BY_LEVEL[one.level] - BY_LEVEL[other.level]);
}

/** Whether it says that a place did not answer, and so nothing of what is there. */
export function isUnreachable({ facts }: Pick<Finding, 'facts'>): boolean {
  return facts.unreachable === true;
}
