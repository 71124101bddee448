import { partialError } from '../../core/errors.js';

/** What one call may take; null for no limit. */
export interface BudgetLimits {
  ms: number | null;
  rows: number | null;
}

/** Ends a deletion between two batches once its time or rows are spent, or the command was asked to end. */
export class Budget {
  private readonly began = performance.now();
  private rows = 0;

  constructor(
    private readonly limits: BudgetLimits,
    private readonly signal: AbortSignal,
  ) {}

  take(rows: number): void {
    this.rows += rows;
  }

  get spent(): boolean {
    const { ms, rows } = this.limits;
    const late = ms !== null && performance.now() - this.began >= ms;
    return this.signal.aborted || late || (rows !== null && this.rows >= rows);
  }

  /** @throws partial error `BUDGET_SPENT` (exit 7) */
  assertLeft(): void {
    if (!this.spent) return;
    throw partialError('BUDGET_SPENT', 'The time or the rows that this call may take are spent.', {
      hint: '`tenantctl retention run` goes on where this one stopped.',
    });
  }
}
