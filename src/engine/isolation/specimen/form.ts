import type { DatabaseError } from '../../../pg/errors.js';
import { type Choice, candidates } from './candidates.js';
import type { Column, Relation } from './relation.js';

/** Combinations of values that are tried for one constraint. */
const COMBINATIONS = 60;

/** The row that is to be made: for each column the values that may be tried, and which of them it is now. */
export class Form {
  private readonly fixed = new Map<string, Choice>();
  private readonly chosen = new Map<string, number>();
  private readonly tried = new Map<string, number>();
  private round = 0;

  constructor(
    private readonly table: Relation,
    private readonly salt: string,
    /** Values that are wanted where they fit. */
    private readonly wanted: readonly string[] = [],
    /** Columns that are not left empty although they may be. */
    private readonly filled: ReadonlySet<string> = new Set(),
  ) {}

  /** Says what stands in a column, whatever else would fit. */
  set(column: string, value: Choice): void {
    this.fixed.set(column, value);
  }

  /** What stands in the columns now; those that are left to their defaults are not there. */
  values(): Map<string, string | null> {
    const entries = this.table.columns.map((column) => [column.name, this.choice(column)] as const);
    return new Map(entries.filter((entry): entry is [string, string | null] => entry[1] !== undefined));
  }

  /**
   * Changes the row after the server has refused it.
   * @returns false when nothing is left to be tried
   */
  improve(error: DatabaseError & { column?: string; dataType?: string }): boolean {
    switch (error.code) {
      case '23502':
        return error.column !== undefined && this.advance(`not null ${error.column}`, [error.column]);
      case '23505':
      case '23P01':
        return this.other(error.constraint ?? '');
      case '23514':
        return this.advance(error.constraint ?? 'partition', this.concerned(error));
      default:
        return false;
    }
  }

  private choice(column: Column): Choice {
    if (column.generated) return undefined;
    if (this.fixed.has(column.name)) return this.fixed.get(column.name);
    return this.options(column)[this.chosen.get(column.name) ?? 0];
  }

  private options(column: Column): Choice[] {
    const { checks, bounds, partitionColumns } = this.table;
    const own = partitionColumns.includes(column.name) ? bounds : [];
    const salt = `${this.salt}${this.round === 0 ? '' : this.round}`;
    const values: Choice[] = candidates(column, checks, own, salt);
    const byItself = column.hasDefault || column.identity !== '';
    const optional = byItself || (!column.notNull && !this.filled.has(column.name));
    const unique = this.table.uniques.some(({ columns }) => columns.includes(column.name));
    // Numbers of keys must differ from those of others: the random one before the simple ones.
    if (unique && column.category === 'N') values.unshift(...values.splice(values.indexOf('1') + 1, 1));
    if (optional) values.unshift(undefined);
    if (!column.notNull && (byItself || !optional)) values.push(null);
    const wanted = values.filter((value) => typeof value === 'string' && this.wanted.includes(value));
    return [...wanted, ...values.filter((value) => !wanted.includes(value))];
  }

  private concerned({ constraint, dataType }: DatabaseError & { dataType?: string }): string[] {
    const { columns, checks, partitionColumns } = this.table;
    if (dataType !== undefined)
      return columns.filter(({ domain }) => domain === dataType).map(({ name }) => name);
    return checks.find(({ name }) => name === constraint)?.columns ?? partitionColumns;
  }

  /** The next combination of values of these columns: the first column changes fastest. */
  private advance(cause: string, names: readonly string[]): boolean {
    const columns = this.table.columns.filter(({ name }) => names.includes(name) && !this.fixed.has(name));
    const next = (this.tried.get(cause) ?? 0) + 1;
    this.tried.set(cause, next);
    const lengths = columns.map((column) => this.options(column).length);
    if (
      next >=
      Math.min(
        COMBINATIONS,
        lengths.reduce((product, length) => product * length, 1),
      )
    )
      return false;
    let rest = next;
    columns.forEach(({ name }, n) => {
      const length = lengths[n] as number;
      this.chosen.set(name, rest % length);
      rest = Math.floor(rest / length);
    });
    return true;
  }

  /** Somebody has these values already: others, and none that is left to a default. */
  private other(constraint: string): boolean {
    this.round += 1;
    if (this.round > 5) return false;
    const key = this.table.uniques.find((one) => one.name === constraint);
    for (const column of this.table.columns) {
      if (key?.columns.includes(column.name) !== true || column.identity !== '') continue;
      const options = this.options(column);
      if (options[this.chosen.get(column.name) ?? 0] === undefined && options.length > 1)
        this.chosen.set(column.name, 1);
    }
    return true;
  }
}
