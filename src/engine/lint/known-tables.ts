import type { Tree } from '../ledger/locks/tree.js';
import type { ColumnType } from './type-names.js';

/** What the files so far say of a table. */
export interface KnownTable {
  name: string;
  columns: Map<string, KnownColumn>;
  keys: KnownKey[];
  checks: KnownCheck[];
  foreignKeys: KnownForeignKey[];
  /** Not all of its columns can be told from the text. */
  opaque: boolean;
  parent: string | null;
  /** Are its rows those of its partitions? */
  partitioned: boolean;
  /** The partition that takes what fits into no other. */
  defaultPartition: string | null;
  /** Do migrations write rows into it? */
  filled: boolean;
  policies: boolean;
  secured: boolean;
  forced: boolean;
}

/** The file that something comes from, by its number, and the place in it. */
export interface Origin {
  madeBy: number;
  at: number;
}

export interface KnownColumn {
  type: ColumnType;
  notNull: boolean;
}

/** An index, or a key with one; an expression stands as the empty name. */
export interface KnownKey extends Origin {
  name: string;
  columns: readonly string[];
  unique: boolean;
  primary: boolean;
}

export interface KnownCheck {
  name: string;
  expression: unknown;
  validated: boolean;
}

export interface KnownForeignKey extends Origin {
  name: string;
  columns: readonly string[];
  table: string;
}

/** The tables that a directory of migrations has made so far. Tables from elsewhere are not in it. */
export class KnownTables {
  private readonly tables = new Map<string, KnownTable>();
  /** Domains to whose constraint every value is held. */
  readonly strictDomains = new Set<string>();

  get(name: string | null): KnownTable | undefined {
    return name === null ? undefined : this.tables.get(name);
  }

  put(table: KnownTable): void {
    this.tables.set(table.name, table);
  }

  rename(from: string, to: string): void {
    const table = this.tables.get(from);
    if (table === undefined) return;
    this.tables.delete(from);
    this.tables.set(to, { ...table, name: to });
    for (const other of this.tables.values()) {
      if (other.parent === from) other.parent = to;
      if (other.defaultPartition === from) other.defaultPartition = to;
    }
  }

  drop(name: string): void {
    this.tables.delete(name);
  }

  dropIndex(name: string): void {
    for (const table of this.tables.values()) table.keys = table.keys.filter((key) => key.name !== name);
  }

  /** The index of that name, whatever its table. */
  index(name: string): KnownKey | undefined {
    return this.tableOfIndex(name)?.keys.find((key) => key.name === name);
  }

  tableOfIndex(name: string): KnownTable | undefined {
    return [...this.tables.values()].find(({ keys }) => keys.some((key) => key.name === name));
  }
}

/** Does a valid CHECK of the table already rule out NULL in the column? */
export function nullRuledOut(table: KnownTable | undefined, column: string): boolean {
  if (table === undefined) return false;
  if (table.columns.get(column)?.notNull === true) return true;
  return table.checks.some(({ validated, expression }) => validated && requiresValue(expression, column));
}

/** `column is not null`, alone or with others behind AND. */
function requiresValue(expression: unknown, column: string): boolean {
  const { NullTest: test, BoolExpr: and } = (expression ?? {}) as { NullTest?: Tree; BoolExpr?: Tree };
  if (test !== undefined) {
    const fields = (test['arg'] as { ColumnRef?: { fields?: { String?: { sval?: string } }[] } }).ColumnRef
      ?.fields;
    return test['nulltesttype'] === 'IS_NOT_NULL' && fields?.at(-1)?.String?.sval === column;
  }
  if (and?.['boolop'] !== 'AND_EXPR') return false;
  return (and['args'] as unknown[]).some((part) => requiresValue(part, column));
}
