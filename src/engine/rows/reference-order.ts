import type { ForeignKey } from './foreign-keys.js';

/** Tables that refer to others before those that they refer to; those in a circle come in any order. */
export function childrenFirst<Table extends { name: string }>(
  tables: readonly Table[],
  foreignKeys: readonly ForeignKey[],
): Table[] {
  const left = new Map(tables.map((table) => [table.name, table]));
  const ordered: Table[] = [];
  while (left.size > 0) {
    const referenced = new Set(
      foreignKeys
        .filter(({ child, parent }) => left.has(child) && child !== parent)
        .map(({ parent }) => parent),
    );
    const free = [...left.values()].filter(({ name }) => !referenced.has(name));
    for (const table of free.length > 0 ? free : [...left.values()].slice(0, 1)) {
      ordered.push(table);
      left.delete(table.name);
    }
  }
  return ordered;
}
