import { ident } from '../../../pg/sql.js';
import type { Relation } from '../specimen/relation.js';
import { type Row, keyOf, sameRow, valueOf } from '../specimen/row.js';

/** A table with a row of the probing tenant in it and one of another, and the SQL that speaks of them. */
export interface Specimen {
  table: Relation;
  tenantColumn: string;
  /** The table, quoted. */
  name: string;
  ownRow: Row;
  foreignRow: Row;
  /** Conditions for the two rows. */
  own: string;
  foreign: string;
  /** ` where …` for whatever is not the probing tenant's; null where no column tells. */
  other: string | null;
  /** `column = value` that changes nothing in the other tenant's row, without reading it. */
  change: string;
  /** The same for the own row. */
  ownChange: string;
  /** Rows of the other tenant. */
  foreignRows: number;
  key: string[];
}

/** @returns undefined when no key finds the rows again */
export function specimenOf(
  table: Relation,
  tenantColumn: string,
  ownRow: Row,
  foreignRow: Row,
  foreignRows: number,
): Specimen | undefined {
  const key = keyOf(table, tenantColumn);
  if (key.length === 0) return undefined;
  const tenant = ident(tenantColumn).text();
  return {
    table,
    tenantColumn,
    name: table.qualified,
    ownRow,
    foreignRow,
    own: sameRow(table, ownRow, key),
    foreign: sameRow(table, foreignRow, key),
    other: table.tenanted
      ? ` where ${tenant} is distinct from ${valueOf(table, tenantColumn, ownRow).text()}`
      : null,
    change: changeOf(table, tenantColumn, foreignRow, key),
    ownChange: changeOf(table, tenantColumn, ownRow, key),
    foreignRows,
    key,
  };
}

/** A column that nobody counts on gets the value that it has. */
function changeOf(table: Relation, tenantColumn: string, row: Row, key: readonly string[]): string {
  const referring = new Set(table.references.flatMap(({ columns }) => columns));
  const free = table.columns.filter(({ generated, identity }) => !generated && identity !== 'a');
  const plain = free.find(({ name }) => !key.includes(name) && !referring.has(name));
  const column = plain?.name ?? (table.tenanted ? tenantColumn : (free[0]?.name ?? tenantColumn));
  return `${ident(column).text()} = ${valueOf(table, column, row).text()}`;
}
