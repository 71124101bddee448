/** The texts of a row by the name of their column; labels as `label.<name>`. */
export type Cells = ReadonlyMap<string, string>;

/** A row before its values are looked at. */
export type RawRow = { line: number; cells: Cells } | { line: number; problem: string };

const LABEL_COLUMN = /^label\.(.+)$/;

/** Whether a list with these columns may have this one; labels are welcome everywhere. */
export function isColumn(columns: readonly string[], name: string): boolean {
  return columns.includes(name) || LABEL_COLUMN.test(name);
}

/** The cells that say something: an empty one counts as absent. */
export function filledCells(cells: Cells): Cells {
  return new Map([...cells].filter(([, text]) => text !== ''));
}

export function labelsOf(cells: Cells): Record<string, string> {
  const pairs = [...cells].flatMap(([column, text]) => {
    const name = LABEL_COLUMN.exec(column)?.[1];
    return name === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(pairs);
}
