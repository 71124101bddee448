/** What a check has found: the shape that every command with findings gives. */
export interface Finding {
  rule: string;
  level: 'error' | 'warning' | 'info';
  /** The cluster, database, tenant or entry it is about. */
  where: string;
  message: string;
  /** What to do next. */
  hint: string;
  facts: Record<string, unknown>;
}
